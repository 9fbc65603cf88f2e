// What an engine that does not speak the client's protocol reads of its frames.

import { z } from 'zod'
import type { EngineBrief, EngineCommand } from './engines.ts'

export type Modality = EngineBrief['outputModality']

const appendEvent = z.object({ audio: z.string() })
const respondEvent = z.object({
  response: z.object({ output_modalities: z.tuple([z.enum(['audio', 'text'])]) }),
})

export function modalityOf(raw: unknown): Modality | undefined {
  return respondEvent.safeParse(raw).data?.response.output_modalities[0]
}

/** Outside of the conversation: its answer is the client's own affair. */
export function isAside(raw: Readonly<Record<string, unknown>> | undefined): boolean {
  const response = raw?.response
  return (
    typeof response === 'object' && response !== null && 'conversation' in response && response.conversation === 'none'
  )
}

/** Undefined: `invalidAudio`. */
export function samplesIn(frame: Buffer): Buffer | undefined {
  try {
    const event = appendEvent.safeParse(JSON.parse(frame.toString('utf8')))
    return event.success ? Buffer.from(event.data.audio, 'base64') : undefined
  } catch {
    return undefined
  }
}

/** A brief after an `update`: settings are replaced one by one, each as a whole. */
export function withFields<B extends Partial<EngineBrief>>(
  brief: B,
  { settings, ...fields }: Extract<EngineCommand, { type: 'update' }>['fields'],
): B {
  const all = { ...brief, ...fields }
  return settings === undefined ? all : { ...all, settings: { ...brief.settings, ...settings } }
}
