// Tenants' secrets at rest: each encrypted by its tenant's data key, which is wrapped by a key that is not in the store.
// Tenant, collection and id are bound in: a text copied to another place does not open. Values never leave by HTTP.

import { randomBytes } from 'node:crypto'
import type { Db } from 'mongodb'
import type { Clock } from '../../platform/clock.ts'
import { idOf, type TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { Page } from '../../protocol/rest.ts'
import type { SecretView } from '../../protocol/team.ts'
import { decrypt, encrypt, type KeyService } from './key-service.ts'
import { type DataKeyRecord, type SecretRecord, secretStore } from './secret-store.ts'

export interface TenantSecrets {
  /** Sets or exchanges it. */
  put(name: string, value: string, by: string): Promise<SecretView>
  /** Undefined for a name nobody set. For the gateway's own use only. */
  get(name: string): Promise<string | undefined>
  /** By name. */
  list(page: { readonly cursor?: string | undefined; readonly limit: number }): Promise<Page<SecretView>>
  /** `not_found` for a name nobody set. */
  remove(name: string): Promise<void>
  /** A new data key, and every secret encrypted by it. May be broken off and begun again at any time. */
  rotate(): Promise<void>
}

export interface Secrets {
  of(tenantId: TenantId): TenantSecrets
  /** Every data key is wrapped by the newest master key afterwards. May be broken off and begun again. Tells how many. */
  rewrap(): Promise<number>
}

export interface SecretsDeps {
  readonly db: Db
  readonly keys: KeyService
  readonly clock: Clock
}

const dataKeyBytes = 32
/** Data keys in the clear, in memory: the bytes of a number never change. */
const maxKnown = 1_000
const batch = 100
type Store = ReturnType<typeof secretStore.open>

export function createSecrets(deps: SecretsDeps): Secrets {
  const store = secretStore.open(deps.db)
  const dataKeys = createDataKeys(store, deps.keys)
  return {
    of: (tenantId) => tenantSecrets({ ...deps, store, dataKeys }, tenantId),
    async rewrap() {
      let after = ''
      let done = 0
      for (;;) {
        const found = await store.keysAfter(after, batch)
        for (const each of found) {
          after = each.id
          if (each.version === deps.keys.current) continue
          const plain = await deps.keys.unwrap(each, keyContext(each))
          await store.rewrap(each, await deps.keys.wrap(plain, keyContext(each)))
          done++
        }
        if (found.length < batch) return done
      }
    },
  }
}

interface DataKeys {
  /** The one that encrypts; made when there is none. */
  newest(tenantId: TenantId): Promise<{ readonly number: number; readonly key: Buffer }>
  /** Throws when it is not there or cannot be unwrapped. */
  numbered(tenantId: TenantId, number: number): Promise<Buffer>
  add(tenantId: TenantId, number: number): Promise<void>
}

const keyContext = ({ tenantId, number }: { readonly tenantId: TenantId; readonly number: number }): string =>
  JSON.stringify([tenantId, 'data_keys', number])

function createDataKeys(store: Store, keys: KeyService): DataKeys {
  const known = new Map<string, Buffer>()
  async function plain(record: DataKeyRecord): Promise<Buffer> {
    const name = `${record.tenantId}:${record.number}`
    const found = known.get(name)
    if (found !== undefined) return found
    const key = await keys.unwrap(record, keyContext(record))
    if (known.size >= maxKnown) known.clear()
    known.set(name, key)
    return key
  }
  async function add(tenantId: TenantId, number: number): Promise<void> {
    const wrapped = await keys.wrap(randomBytes(dataKeyBytes), keyContext({ tenantId, number }))
    await store.addKey({ tenantId, number, ...wrapped })
  }
  return {
    add,
    async newest(tenantId) {
      let record = await store.newestKey(tenantId)
      if (record === undefined) {
        // Of two that make the first one at once, one is kept and both read it.
        await add(tenantId, 1)
        record = await store.newestKey(tenantId)
      }
      if (record === undefined) throw new Error('a data key that was made is not there')
      return { number: record.number, key: await plain(record) }
    },
    async numbered(tenantId, number) {
      const record = await store.key(tenantId, number)
      if (record === undefined) throw new Error(`data key ${number} is missing`)
      return plain(record)
    },
  }
}

interface Parts extends SecretsDeps {
  readonly store: Store
  readonly dataKeys: DataKeys
}

function tenantSecrets({ store, dataKeys, clock }: Parts, tenantId: TenantId): TenantSecrets {
  const seal = async (id: string, value: string): Promise<{ envelope: string; keyNumber: number }> => {
    const { number, key } = await dataKeys.newest(tenantId)
    const body = encrypt(key, Buffer.from(value), context(tenantId, id, number)).toString('base64url')
    return { envelope: `1.${number}.${body}`, keyNumber: number }
  }
  const open = async ({ id, envelope }: SecretRecord): Promise<string> => {
    const [form, number = '', body = ''] = envelope.split('.')
    if (form !== '1') throw new Error(`a secret in form ${form}`)
    const key = await dataKeys.numbered(tenantId, Number(number))
    return decrypt(key, Buffer.from(body, 'base64url'), context(tenantId, id, Number(number))).toString('utf8')
  }
  return {
    async put(name, value, by) {
      const id = idOf('sec', tenantId, name)
      const record = { id, name, ...(await seal(id, value)), setAt: new Date(clock.now()), setBy: by }
      await store.set(tenantId, record)
      return present(record)
    },
    async get(name) {
      const record = await store.find(tenantId, name)
      return record === undefined ? undefined : open(record)
    },
    async list({ cursor, limit }) {
      const found = await store.list(tenantId, { after: cursor, limit: limit + 1 })
      const items = found.slice(0, limit).map(present)
      return { items, next: found.length > limit ? (items.at(-1)?.name ?? null) : null }
    },
    async remove(name) {
      if (!(await store.remove(tenantId, name))) throw new Problem('not_found')
    },
    async rotate() {
      const { number } = await dataKeys.newest(tenantId)
      const left = await store.older(tenantId, number, 1)
      // One that was broken off is ended first; the key it made is as good as new.
      if (left.length === 0) await dataKeys.add(tenantId, number + 1)
      const newest = (await dataKeys.newest(tenantId)).number
      for (;;) {
        const found = await store.older(tenantId, newest, batch)
        for (const each of found) {
          const sealed = await seal(each.id, await open(each))
          await store.exchange(tenantId, each, sealed.envelope, sealed.keyNumber)
        }
        if (found.length === 0) return
      }
    },
  }
}

const context = (tenantId: TenantId, id: string, number: number): string =>
  JSON.stringify([tenantId, 'secrets', id, number])

function present({ name, setAt, setBy }: SecretRecord): SecretView {
  return { name, setAt: setAt.toISOString(), setBy }
}
