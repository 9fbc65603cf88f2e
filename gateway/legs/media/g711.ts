// G.711, the sound of telephones: one byte a sample, 8 kHz.

const bias = 0x84
const loudest = 32_635
/** Upper ends of the A-law segments, in 13-bit samples. */
const segmentEnds = [0x1f, 0x3f, 0x7f, 0xff, 0x1ff, 0x3ff, 0x7ff, 0xfff]

export interface Law {
  encode(samples: Int16Array): Buffer
  decode(bytes: Uint8Array): Int16Array<ArrayBuffer>
}

export const muLaw: Law = lawOf(toMuLaw, fromMuLaw)
export const aLaw: Law = lawOf(toALaw, fromALaw)

function lawOf(to: (sample: number) => number, from: (byte: number) => number): Law {
  const decoded = Int16Array.from({ length: 256 }, (_, byte) => from(byte))
  return {
    encode(samples) {
      const bytes = Buffer.alloc(samples.length)
      for (let i = 0; i < samples.length; i++) bytes[i] = to(samples[i] ?? 0)
      return bytes
    },
    decode(bytes) {
      const samples = new Int16Array(bytes.length)
      for (let i = 0; i < bytes.length; i++) samples[i] = decoded[bytes[i] ?? 0] ?? 0
      return samples
    },
  }
}

function toMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), loudest) + bias
  const exponent = 24 - Math.clz32(magnitude)
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff
}

function fromMuLaw(byte: number): number {
  const bits = ~byte
  const magnitude = (((bits & 0x0f) << 3) + bias) << ((bits & 0x70) >> 4)
  return (bits & 0x80) === 0 ? magnitude - bias : bias - magnitude
}

function toALaw(sample: number): number {
  const mask = sample < 0 ? 0x55 : 0xd5
  const magnitude = sample < 0 ? ~sample >> 3 : sample >> 3
  const segment = segmentEnds.findIndex((end) => magnitude <= end)
  return ((segment << 4) | ((magnitude >> Math.max(1, segment)) & 0x0f)) ^ mask
}

function fromALaw(byte: number): number {
  const bits = byte ^ 0x55
  const segment = (bits & 0x70) >> 4
  const step = ((bits & 0x0f) << 4) + (segment === 0 ? 0x08 : 0x108)
  const magnitude = segment > 1 ? step << (segment - 1) : step
  return (bits & 0x80) === 0 ? -magnitude : magnitude
}
