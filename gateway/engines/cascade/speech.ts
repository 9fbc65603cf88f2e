// Sentences into sound over `POST /audio/speech`, streamed; and the built-in voice, which needs no server.

import { type Voice, voiceNamed } from '../demo/voice.ts'
import { pronounceable } from '../sentences.ts'
import { failureOf, PartFailure } from '../text/failure.ts'
import { Endpoint, type LevelOf, type PartPlan } from '../text/server.ts'
import type { Tts } from './part.ts'
import { PcmReader } from './pcm.ts'

/** The voice that OpenAI's clients send, and that compatible servers map to one of theirs. */
const anyVoice = 'alloy'
/** Voices of the keyless demo mean nothing elsewhere; an agent that was tried on it must still speak. */
const demoVoices = new Set(['', 'slt', 'rms', 'awb', 'kal'])
/** A sentence has 12 s of sound; what sends more than 60 s never ends. */
const longestBytes = 60 * 48_000

export function createSpeech({ name, server, model, options }: PartPlan): Tts {
  const { voice: fixed, response_format: format, ...more } = options
  const endpoint = new Endpoint(server, '/audio/speech', { response_format: 2, voice: 1 })
  return {
    name,
    async *say({ text, voice }, { signal, taken }) {
      const wanted = typeof fixed === 'string' ? fixed : demoVoices.has(voice) ? anyVoice : voice
      const response = await endpoint.post((level) => {
        const named = wanted !== anyVoice && level(`voice:${wanted}`) > 0 ? anyVoice : wanted
        return JSON.stringify({ model, input: text, voice: named, ...formatOf(format, level), ...more })
      }, signal)
      taken()
      if (response.body === null) throw new PartFailure('malformed')
      try {
        yield* samples(response.body, new PcmReader(response.headers.get('content-type') ?? ''))
      } catch (thrown) {
        throw signal.aborted ? signal.reason : failureOf(thrown)
      }
    },
  }
}

/** Samples without a header start soonest; servers that do not know them know WAV. */
function formatOf(fixed: unknown, level: LevelOf): { readonly response_format?: string } {
  if (typeof fixed === 'string') return { response_format: fixed }
  const format = ['pcm', 'wav'][level('response_format')]
  return format === undefined ? {} : { response_format: format }
}

async function* samples(body: ReadableStream<Uint8Array>, reader: PcmReader): AsyncGenerator<Buffer> {
  let length = 0
  for await (const bytes of body) {
    const pcm = reader.push(bytes)
    length += pcm.length
    if (length > longestBytes) throw new PartFailure('malformed')
    if (pcm.length > 0) yield pcm
  }
  const tail = reader.end()
  if (length + tail.length === 0) throw new PartFailure('no_audio')
  if (tail.length > 0) yield tail
}

/** Speaks English, on this machine, and charges nothing: its characters are not counted. */
export function builtInSpeech(name: string, voice: Voice): Tts {
  return {
    name,
    async *say(sentence, { signal }) {
      const words = pronounceable(sentence.text)
      if (words === '') return
      const pcm = await voice.speak(voiceNamed(sentence.voice), words).catch(() => {
        throw new PartFailure('voice_unavailable')
      })
      if (signal.aborted) throw signal.reason
      yield pcm
    },
  }
}
