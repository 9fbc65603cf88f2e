// An engine's or a session's "not now" in the words a stock client knows from the original.

import type { CommandAnswer } from '../../engines/engines.ts'

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly param: string | null
}

type Refused = Extract<CommandAnswer, { readonly reason: string }>

/** `subject`: the id of the item or call that the client named. */
export function refusalOf(answer: Refused, subject = ''): Refusal {
  switch (answer.reason) {
    case 'nothing_to_cancel':
      return refusal('response_cancel_not_active', 'Cancellation failed: no active response found')
    case 'input_audio_buffer_commit_empty':
      return refusal(
        'input_audio_buffer_commit_empty',
        'Error committing input audio buffer: buffer too small. Expected at least 100ms of audio.',
      )
    case 'unknown_call':
      return refusal('invalid_value', `Tool call ID '${subject}' not found in conversation.`, 'item.call_id')
    case 'unknown_item':
      return refusal('item_truncate_invalid_item_id', `Item with item_id ${subject} not found.`, 'item_id')
    case 'item_exists':
      return refusal('item_create_duplicate_id', `Item with id '${subject}' already exists.`, 'item.id')
    case 'unknown_input':
      return refusal('invalid_value', 'An item of the input is not known here, or holds no text.', 'response.input')
    case 'no_audio':
      return refusal('unsupported_content_type', 'Only model output audio messages can be truncated')
    case 'beyond_audio':
      return refusal('invalid_value', 'The audio content is already shorter than audio_end_ms.', 'audio_end_ms')
    case 'voice_locked':
      return refusal(
        'cannot_update_voice',
        'The voice cannot be changed once the agent has spoken.',
        'session.audio.output.voice',
      )
    default:
      return refusal(answer.is === 'unsupported' ? 'unsupported' : 'rejected', answer.reason)
  }
}

function refusal(code: string, message: string, param: string | null = null): Refusal {
  return { code, message, param }
}
