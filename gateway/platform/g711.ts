// G.711, the sound of telephones: 8-bit logarithmic samples at 8 kHz, µ-law (PCMU) and A-law (PCMA). ITU-T G.711, by tables.

export type Law = 'pcmu' | 'pcma'

const rates = { pcmu: mulaw, pcma: alaw } as const
const decoding: Readonly<Record<Law, Int16Array>> = { pcmu: table('pcmu'), pcma: table('pcma') }
const encoding: Readonly<Record<Law, Uint8Array>> = { pcmu: nearest('pcmu'), pcma: nearest('pcma') }

export function decodeLaw(law: Law, bytes: Uint8Array): Int16Array<ArrayBuffer> {
  const samples = decoding[law]
  return Int16Array.from(bytes, (byte) => samples[byte] ?? 0)
}

export function encodeLaw(law: Law, samples: Int16Array): Buffer {
  const codes = encoding[law]
  const bytes = Buffer.allocUnsafe(samples.length)
  for (let i = 0; i < samples.length; i++) bytes[i] = codes[((samples[i] ?? 0) + 32_768) >> 2] ?? 0
  return bytes
}

function mulaw(code: number): number {
  const bits = ~code & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4)) - 0x84
  return (bits & 0x80) === 0 ? magnitude : -magnitude
}

function alaw(code: number): number {
  const bits = code ^ 0x55
  const segment = (bits & 0x70) >> 4
  const mantissa = (bits & 0x0f) << 4
  const magnitude = segment === 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1)
  return (bits & 0x80) === 0 ? -magnitude : magnitude
}

function table(law: Law): Int16Array {
  return Int16Array.from({ length: 256 }, (_, code) => rates[law](code))
}

/** For every fourth 16-bit sample (both laws are coarser) the code whose value is nearest. */
function nearest(law: Law): Uint8Array {
  const values = Array.from({ length: 256 }, (_, code) => ({ code, value: rates[law](code) })).toSorted(
    (a, b) => a.value - b.value,
  )
  let at = 0
  return Uint8Array.from({ length: 16_384 }, (_, i) => {
    const sample = i * 4 - 32_768 + 2
    const distance = (index: number): number => Math.abs((values[index]?.value ?? Number.POSITIVE_INFINITY) - sample)
    while (at + 1 < values.length && distance(at + 1) <= distance(at)) at++
    return values[at]?.code ?? 0
  })
}
