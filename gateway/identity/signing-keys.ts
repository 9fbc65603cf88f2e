// The keys that sign visitors' tokens: made on first use, rotated with an overlap, refused seconds after a revocation.

import { type CryptoKey, exportJWK, exportPKCS8, generateKeyPair, importJWK, importPKCS8 } from 'jose'
import type { Clock } from '../platform/clock.ts'
import { newId } from '../platform/ids.ts'
import type { Seal } from './seal.ts'
import type { SigningKeyRecord, signingKeyStore } from './signing-key-store.ts'

/** A revocation on another node is seen within this time. */
const cacheMs = 2_000
/** A key made on another node is looked for at most this often, so that random key ids cannot load the store. */
const missMs = 250
/** A token lives 15 min: the old key outlives every token it signed. */
export const overlapMs = 20 * 60_000

export interface SigningKeys {
  /** The newest active key, made when there is none. */
  forSigning(): Promise<{ readonly kid: string; readonly privateKey: CryptoKey }>
  /** Undefined for keys unknown, revoked or retired for good. */
  forVerifying(kid: string): Promise<CryptoKey | undefined>
  /** True for every key id in force: newest knowledge within `cacheMs`. */
  inForce(): Promise<ReadonlySet<string>>
  rotate(): Promise<string>
  revoke(kid: string): Promise<boolean>
}

interface KeySet {
  readonly atMs: number
  readonly records: readonly SigningKeyRecord[]
}

export function createSigningKeys(deps: {
  readonly store: ReturnType<typeof signingKeyStore.open>
  readonly seal: Seal
  readonly clock: Clock
}): SigningKeys {
  const { store, seal, clock } = deps
  let known: KeySet | undefined
  let loading: Promise<KeySet> | undefined
  // Imported once per key: the record decides whether it may be used.
  const imported = new Map<string, Promise<CryptoKey>>()

  async function load(): Promise<KeySet> {
    const atMs = clock.monotonicMs()
    known = { atMs, records: await store.inForce() }
    return known
  }
  async function records(maxAgeMs: number): Promise<readonly SigningKeyRecord[]> {
    if (known !== undefined && clock.monotonicMs() - known.atMs <= maxAgeMs) return current(known.records)
    loading ??= load().finally(() => {
      loading = undefined
    })
    return current((await loading).records)
  }
  const current = (all: readonly SigningKeyRecord[]) =>
    all.filter((each) => each.verifiesUntil === undefined || each.verifiesUntil.getTime() > clock.now())

  function once(name: string, make: () => Promise<CryptoKey>): Promise<CryptoKey> {
    const key = imported.get(name) ?? make()
    imported.set(name, key)
    return key
  }

  async function make(): Promise<string> {
    const record = await newRecord(seal, clock.now())
    await store.insert(record)
    known = undefined
    return record.kid
  }

  async function forSigning(): Promise<{ kid: string; privateKey: CryptoKey }> {
    for (const record of await records(cacheMs)) {
      // A key sealed under an earlier secret still verifies; it cannot sign any more.
      const pem = record.status === 'active' ? seal.open(record.sealedPrivate, record.kid) : undefined
      if (pem === undefined) continue
      return { kid: record.kid, privateKey: await once(`${record.kid} private`, () => importPKCS8(pem, 'EdDSA')) }
    }
    await make()
    return forSigning()
  }

  return {
    forSigning,
    async forVerifying(kid) {
      const find = (all: readonly SigningKeyRecord[]) => all.find((each) => each.kid === kid)
      const record = find(await records(cacheMs)) ?? find(await records(missMs))
      if (record === undefined) return undefined
      return once(`${kid} public`, () => importPublic(record.publicJwk))
    },
    inForce: async () => new Set((await records(cacheMs)).map((each) => each.kid)),
    async rotate() {
      const kid = await make()
      await store.retireOthers(kid, new Date(clock.now() + overlapMs))
      known = undefined
      return kid
    },
    async revoke(kid) {
      const revoked = await store.revoke(kid)
      known = undefined
      return revoked
    },
  }
}

async function newRecord(seal: Seal, nowMs: number): Promise<SigningKeyRecord> {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const kid = newId('kid')
  return {
    kid,
    status: 'active',
    publicJwk: JSON.stringify(await exportJWK(pair.publicKey)),
    sealedPrivate: seal.close(await exportPKCS8(pair.privateKey), kid),
    createdAt: new Date(nowMs),
  }
}

async function importPublic(jwk: string): Promise<CryptoKey> {
  const key = await importJWK(JSON.parse(jwk), 'EdDSA')
  if (key instanceof Uint8Array) throw new TypeError('a signing key is an Ed25519 key pair')
  return key
}
