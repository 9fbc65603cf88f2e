// What the demo can, and what it reads of frames of a protocol that it does not speak itself.

import { z } from 'zod'
import type { Capabilities, EngineBrief } from '../engines.ts'

export type Modality = EngineBrief['outputModality']

const appendEvent = z.object({ audio: z.string() })
const respondEvent = z.object({
  response: z.object({ output_modalities: z.tuple([z.enum(['audio', 'text'])]) }),
})

export function capabilitiesOf(hears: Capabilities['hears']): Capabilities {
  return {
    conversation: 'turn',
    cancelSpeech: 'exact',
    truncate: 'native',
    say: 'exact',
    tools: 'inline',
    usage: 'cumulative',
    media: 'relayed',
    hears,
    inputAudio: 'pcm16_24k',
    outputAudio: 'pcm16_24k',
    maxDurationMs: null,
    mutable: ['tools', 'voice', 'turnDetection', 'outputModality'],
    dialect: 'none',
  }
}

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
