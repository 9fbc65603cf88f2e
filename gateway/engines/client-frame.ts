// What an engine that does not speak the client's protocol reads of its frames.

import { z } from 'zod'
import type { EngineBrief } from './engines.ts'

export type Modality = EngineBrief['outputModality']

const appendEvent = z.object({ audio: z.string() })
const respondEvent = z.object({
  response: z.object({ output_modalities: z.tuple([z.enum(['audio', 'text'])]) }),
})

export function modalityOf(raw: unknown): Modality | undefined {
  return respondEvent.safeParse(raw).data?.response.output_modalities[0]
}

export function samplesIn(frame: Buffer): Buffer | undefined {
  try {
    const event = appendEvent.safeParse(JSON.parse(frame.toString('utf8')))
    return event.success ? Buffer.from(event.data.audio, 'base64') : undefined
  } catch {
    return undefined
  }
}
