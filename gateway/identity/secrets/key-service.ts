// What wraps the tenants' data keys: a port, so that a key may stay in a key management service and only its answers come
// here; and the one built in, over keys of the environment, of a file or of the data folder.

import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

export interface WrappedKey {
  /** Of the key that wraps. */
  readonly version: string
  /** base64url */
  readonly wrapped: string
}

export interface KeyService {
  /** Version of what wraps from now on. */
  readonly current: string
  /** `context` is bound in: a wrapped key of one tenant does not open for another. */
  wrap(dataKey: Buffer, context: string): Promise<WrappedKey>
  /** Throws for a version it does not have, another context, or when altered. */
  unwrap(key: WrappedKey, context: string): Promise<Buffer>
}

const ivBytes = 12
const tagBytes = 16

/** The first key wraps, all of them unwrap. */
export function createLocalKeys(secrets: readonly [Buffer, ...Buffer[]]): KeyService {
  const keys = secrets.map((secret) => {
    const key = Buffer.from(hkdfSync('sha256', secret, '', 'parley master key', 32))
    return { key, version: createHash('sha256').update('version').update(key).digest('hex').slice(0, 12) }
  })
  const byVersion = new Map(keys.map((each) => [each.version, each.key]))
  const [first] = keys
  if (first === undefined) throw new TypeError('a key service needs a key')
  return {
    current: first.version,
    async wrap(dataKey, context) {
      return { version: first.version, wrapped: encrypt(first.key, dataKey, context).toString('base64url') }
    },
    async unwrap({ version, wrapped }, context) {
      const key = byVersion.get(version)
      if (key === undefined) throw new Error(`no master key of version ${version}: set PARLEY_MASTER_KEY_PREVIOUS`)
      return decrypt(key, Buffer.from(wrapped, 'base64url'), context)
    },
  }
}

/** AES-256-GCM: initialisation vector, tag, body. */
export function encrypt(key: Buffer, plain: Buffer, context: string): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), body])
}

/** Throws under another key, in another context, or when altered. */
export function decrypt(key: Buffer, bytes: Buffer, context: string): Buffer {
  if (bytes.length < ivBytes + tagBytes) throw new Error('too short to be sealed')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
  return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()])
}
