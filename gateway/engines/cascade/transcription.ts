// Speech into words over `POST /audio/transcriptions`: a WAV in a form, the words in JSON or as plain text.

import { z } from 'zod'
import { encodeWav, samplesOf } from '../../platform/resample.ts'
import { failureOf, PartFailure } from '../text/failure.ts'
import { Endpoint, type PartPlan } from '../text/server.ts'
import type { Transcript } from './meters.ts'
import type { Stt } from './part.ts'

const rateHz = 24_000
/** A minute of speech has some 1,000 characters. */
const longestChars = 100_000

const count = z.number().nonnegative()
const answer = z.object({
  text: z.string(),
  usage: z
    .union([
      z.object({ type: z.literal('tokens'), input_tokens: count, output_tokens: count }),
      z.object({ type: z.literal('duration'), seconds: count }),
    ])
    .nullish()
    .catch(undefined),
})

export function createTranscription({ name, server, model, options }: PartPlan): Stt {
  const endpoint = new Endpoint(server, '/audio/transcriptions', { language: 1, prompt: 1, response_format: 1 })
  return {
    name,
    async hear({ pcm, language, hint }, signal) {
      const wav = encodeWav(samplesOf(pcm), rateHz)
      const code = /^[a-z]{2}/i.exec(language)?.[0].toLowerCase()
      const response = await endpoint.post((level) => {
        const form = new FormData()
        form.set('file', new Blob([new Uint8Array(wav)], { type: 'audio/wav' }), 'speech.wav')
        form.set('model', model)
        if (code !== undefined && level('language') === 0) form.set('language', code)
        if (hint !== undefined && level('prompt') === 0) form.set('prompt', hint)
        if (level('response_format') === 0) form.set('response_format', 'json')
        for (const [option, value] of Object.entries(options)) form.set(option, String(value))
        return form
      }, signal)
      try {
        return transcriptOf(await response.text(), response.headers.get('content-type') ?? '')
      } catch (thrown) {
        throw signal.aborted ? signal.reason : failureOf(thrown)
      }
    },
  }
}

function transcriptOf(body: string, contentType: string): Transcript {
  if (body.length > longestChars) throw new PartFailure('malformed')
  if (contentType.startsWith('text/plain')) return { text: body.trim() }
  const read = answer.safeParse(json(body))
  if (!read.success) throw new PartFailure('malformed')
  const { text, usage } = read.data
  if (usage == null) return { text: text.trim() }
  return {
    text: text.trim(),
    usage:
      usage.type === 'tokens'
        ? { is: 'tokens', input: usage.input_tokens, output: usage.output_tokens }
        : { is: 'seconds', seconds: usage.seconds },
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
