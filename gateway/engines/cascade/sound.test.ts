import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  type ScriptedCascade,
  type ScriptedCascadeOptions,
  startScriptedCascade,
} from '../../../test/harness/scripted-cascade.ts'
import { encodeWav } from '../../platform/resample.ts'
import { PartFailure } from '../text/failure.ts'
import { PcmReader } from './pcm.ts'
import { builtInSpeech, createSpeech } from './speech.ts'
import { createTranscription } from './transcription.ts'

let server: ScriptedCascade
const signal = new AbortController().signal

beforeEach(async () => {
  server = await startScriptedCascade()
})
afterEach(() => server.stop())

const planOn = (on: ScriptedCascade, options: Readonly<Record<string, string | number>> = {}) => ({
  name: 'own:m',
  server: { name: 'own', kind: 'http' as const, baseUrl: on.baseUrl, apiKey: undefined },
  model: 'm',
  options,
})

async function speak(on: ScriptedCascade, options?: Readonly<Record<string, string | number>>, voice = 'marin') {
  let taken = 0
  const parts: Buffer[] = []
  const speech = createSpeech(planOn(on, options))
  for await (const pcm of speech.say({ text: 'Hello there.', voice }, { signal, taken: () => taken++ })) parts.push(pcm)
  return { pcm: Buffer.concat(parts), taken }
}

async function onServer<T>(options: ScriptedCascadeOptions, use: (on: ScriptedCascade) => Promise<T>): Promise<T> {
  const other = await startScriptedCascade(options)
  try {
    return await use(other)
  } finally {
    await other.stop()
  }
}

it('speech comes as samples at 24 kHz, however the bytes are cut', async () => {
  const { pcm, taken } = await speak(server)
  expect(pcm.length / 48).toBe(12 * 60)
  expect(taken).toBe(1)
  expect(server.speeches[0]).toEqual({ model: 'm', input: 'Hello there.', voice: 'marin', response_format: 'pcm' })
})

it('asks for WAV where samples without a header are not known, and reads its rate', async () => {
  await onServer({ refuses: ['response_format=pcm'], rateHz: 22_050 }, async (other) => {
    const { pcm } = await speak(other)
    expect(other.speeches[0]?.response_format).toBe('wav')
    expect(Math.abs(pcm.length / 48 - 720)).toBeLessThan(1)
  })
})

it('reads the rate of samples from their content type', async () => {
  await onServer({ rateHz: 16_000 }, async (other) => {
    expect((await speak(other)).pcm.length / 48).toBe(720)
  })
})

it('takes the voice of the agent, the operator’s where it is fixed, and any where the server does not know it', async () => {
  await speak(server, { voice: 'af_heart', speed: 1.1 })
  await speak(server, {}, 'slt')
  expect(server.speeches.map(({ voice, speed }) => [voice, speed])).toEqual([
    ['af_heart', 1.1],
    ['alloy', undefined],
  ])
  await onServer({ refuses: ['voice=marin'] }, async (other) => {
    await speak(other)
    expect(other.speeches.map(({ voice }) => voice)).toEqual(['alloy'])
  })
})

it('says which bytes are no speech', async () => {
  const code = async (contentType: string, bytes: Buffer) => {
    try {
      const reader = new PcmReader(contentType)
      return Buffer.concat([reader.push(bytes), reader.end()]).length
    } catch (thrown) {
      return thrown instanceof PartFailure ? thrown.code : 'thrown'
    }
  }
  const eight = encodeWav(new Int16Array(10), 24_000)
  eight.writeUInt16LE(8, 34)
  expect(await code('audio/mpeg', Buffer.alloc(10))).toBe('unsupported_audio')
  expect(await code('application/json', Buffer.from('{}'))).toBe('unsupported_audio')
  expect(await code('audio/wav', eight)).toBe('unsupported_audio')
  expect(await code('audio/pcm;rate=99999999', Buffer.alloc(10))).toBe('unsupported_audio')
  expect(await code('audio/wav', Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), Buffer.alloc(5_000, 0x20)]))).toBe(
    'unsupported_audio',
  )
  expect(await code('application/octet-stream', Buffer.alloc(480))).toBe(480)
})

it('a WAV gives the same samples wherever it is cut, of one channel or two, and nothing of what follows them', () => {
  const samples = Int16Array.from({ length: 300 }, (_, i) => i * 7)
  const stereo = Int16Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? (samples[i / 2] ?? 0) : -1))
  const two = encodeWav(stereo, 24_000)
  two.writeUInt16LE(2, 22)
  const trailing = Buffer.concat([encodeWav(samples, 24_000), Buffer.from('LIST\x04\0\0\0abcd')])
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 12 })
  fc.assert(
    fc.property(fc.constantFrom(trailing, two), cuts, (wav, lengths) => {
      const reader = new PcmReader('audio/wav')
      const parts: Buffer[] = []
      let at = 0
      for (const length of [...lengths, wav.length]) {
        parts.push(reader.push(wav.subarray(at, at + length)))
        at += length
      }
      const pcm = Buffer.concat([...parts, reader.end()])
      expect(Array.from({ length: pcm.length / 2 }, (_, i) => pcm.readInt16LE(i * 2))).toEqual([...samples])
    }),
  )
})

it('no bytes make anything but sound or a named failure', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }),
      fc.boolean(),
      fc.string(),
      (parts, riff, type) => {
        try {
          const reader = new PcmReader(type)
          for (const part of [...(riff ? [Buffer.from('RIFFxxxxWAVE')] : []), ...parts])
            expect(reader.push(part).length % 2).toBe(0)
          reader.end()
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PartFailure)
        }
      },
    ),
  )
})

it('a voice that breaks off, or is not there, fails by name', async () => {
  server.breaks('speech', { how: 'cut', after: 1 }, { how: 'status', status: 503 })
  await expect(speak(server)).rejects.toMatchObject({ code: 'connection_lost' })
  await expect(speak(server)).rejects.toMatchObject({ code: 'server_error' })
})

it('the built-in voice says what it can pronounce, and charges nothing', async () => {
  const said: string[] = []
  const voice = {
    warm: async () => {},
    speak: async (_: string, text: string) => {
      said.push(text)
      return Buffer.alloc(480)
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const tts = builtInSpeech('builtin', voice)
  for (const text of ['It costs €5.', '🙂']) {
    const on = { signal, taken: () => expect.unreachable() }
    for await (const pcm of tts.say({ text, voice: 'marin' }, on)) expect(pcm.length).toBe(480)
  }
  expect(said).toEqual(['It costs 5 euros.'])
})

it('speech becomes words: a WAV in a form, its language in two letters', async () => {
  server.hears(' Do you have a red sofa? ')
  const heard = await createTranscription(planOn(server)).hear({ pcm: Buffer.alloc(48_000), language: 'de-AT' }, signal)
  expect(heard).toEqual({ text: 'Do you have a red sofa?', usage: { is: 'seconds', seconds: 1 } })
  expect(server.forms[0]).toMatchObject({ model: 'm', language: 'de', responseFormat: 'json' })
  expect(server.forms[0]?.wav.length).toBe(48_044)
})

it('leaves the language out where it is refused, and reads plain text', async () => {
  await onServer({ refuses: ['language'] }, async (other) => {
    other.hears('Guten Tag', 'Servus')
    const stt = createTranscription({ ...planOn(other), options: { response_format: 'text' } })
    expect((await stt.hear({ pcm: Buffer.alloc(48_000), language: 'de' }, signal)).text).toBe('Guten Tag')
    expect((await stt.hear({ pcm: Buffer.alloc(48_000), language: 'de' }, signal)).text).toBe('Servus')
    expect(other.refused).toHaveLength(1)
  })
})

it('a transcript that is none is a named failure', async () => {
  const cut = { how: 'cut', after: 0 } as const
  server.breaks('transcription', { how: 'garbage', after: 0 }, cut, cut, { how: 'status', status: 503 })
  const stt = createTranscription(planOn(server))
  const hear = () => stt.hear({ pcm: Buffer.alloc(48_000), language: 'en' }, signal)
  await expect(hear()).rejects.toMatchObject({ code: 'malformed' })
  await expect(hear()).rejects.toMatchObject({ code: 'connection_lost' })
  await expect(hear()).rejects.toMatchObject({ code: 'server_error' })
})
