// TLS in front of a plain loopback port: the stock OpenAI client speaks wss: only. The certificate is made at test time,
// for 127.0.0.1 and one day; clients trust it by name, verification stays on.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { connect } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'

export interface TlsFront extends AsyncDisposable {
  readonly port: number
  /** PEM; what a client passes as `ca`. */
  readonly certificate: string
}

export async function startTlsFront(targetPort: number): Promise<TlsFront> {
  const { certificate, key } = selfSigned()
  const sockets = new Set<TLSSocket>()
  const server = createServer({ cert: certificate, key }, (client) => {
    sockets.add(client)
    const target = connect(targetPort, '127.0.0.1')
    client.pipe(target).pipe(client)
    const end = (): void => {
      client.destroy()
      target.destroy()
      sockets.delete(client)
    }
    for (const side of [client, target]) side.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    certificate,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** X.509 v3 with an ECDSA key; node:crypto reads certificates but cannot write them. */
function selfSigned(): { certificate: string; key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    certificate: certificateOf(publicKey, privateKey),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** For any public key, as PEM. Signed by an ECDSA key; without one by some that nobody knows. */
export function certificateOf(
  publicKey: KeyObject,
  signer: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
): string {
  const body = toBeSigned(publicKey)
  const der = sequence(body, ecdsaWithSha256, bitString(sign('sha256', body, signer)))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function toBeSigned(publicKey: KeyObject): Buffer {
  // A name of its own: two roots of one name would be mistaken for each other.
  const name = sequence(
    tlv(0x31, sequence(commonName, tlv(0x0c, Buffer.from(`parley test ${randomBytes(8).toString('hex')}`)))),
  )
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)])
  const addressOfLoopback = tlv(0x87, Buffer.from([127, 0, 0, 1]))
  const altNames = sequence(subjectAltName, tlv(0x04, sequence(tlv(0x82, Buffer.from('localhost')), addressOfLoopback)))
  return sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(utcTime(Date.now() - 3_600_000), utcTime(Date.now() + 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(altNames)),
  )
}

function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...head]), value])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts))
}

function bitString(bits: Buffer): Buffer {
  return tlv(0x03, Buffer.concat([Buffer.from([0]), bits]))
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return tlv(0x17, Buffer.from(`${digits}Z`))
}

const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'))
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const commonName = oid('550403')
const subjectAltName = oid('551d11')
