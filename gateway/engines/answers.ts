// What every engine says in the same words.

import type { CommandAnswer, EngineEvent } from './engines.ts'

export const applied: CommandAnswer = { is: 'applied' }
export const accepted: CommandAnswer = { is: 'accepted' }

export const invalidAudio: EngineEvent = {
  type: 'error',
  source: 'local',
  code: 'invalid_audio',
  message: 'not an append frame',
  benign: false,
}

export const audioDropped: EngineEvent = {
  type: 'error',
  source: 'local',
  code: 'queue_full',
  message: 'audio was dropped: the provider does not take it',
  benign: false,
}
