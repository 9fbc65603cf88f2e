// The panel's own words in the visitor's language. What the tenant wrote (greeting, consent, suggestions) stays as it is.

import type { ProblemCode } from '../gateway/protocol/codes.ts'
import type { ParleyNotice } from '../gateway/protocol/realtime.ts'
import type { MicProblem } from './state.ts'

export interface Words {
  readonly you: string
  readonly send: string
  readonly write: string
  readonly talk: string
  readonly end: string
  readonly mute: string
  readonly unmute: string
  readonly captions: string
  readonly close: string
  readonly messages: string
  readonly suggestions: string
  readonly demo: string
  readonly online: string
  readonly connecting: string
  readonly reconnecting: string
  readonly listening: string
  readonly thinking: string
  readonly speaking: string
  readonly looking: string
  readonly approval: string
  readonly muted: string
  readonly unheard: string
  readonly unsent: string
  readonly sending: string
  readonly earlier: string
  readonly callEnded: string
  readonly ended: string
  readonly again: string
  readonly retry: string
  readonly keepTyping: string
  /** Takes a conversation over from another tab. */
  readonly here: string
  /** A call that the page before this one left, and its button. */
  readonly paused: string
  readonly goOn: string
  readonly lost: string
  readonly idle: string
  readonly cap: string
  readonly mic: Readonly<Record<MicProblem, string>>
  /** `gone`: a session was lost, the next one goes on. */
  readonly notices: Readonly<Partial<Record<ParleyNotice['code'] | 'gone', string>>>
  /** Words of visuals, by the English ones. */
  readonly visuals: Readonly<Record<string, string>>
  readonly problems: Readonly<Partial<Record<ProblemCode, string>>>
}

export const en: Words = {
  you: 'You',
  send: 'Send',
  write: 'Write a message',
  talk: 'Talk',
  end: 'End call',
  mute: 'Mute microphone',
  unmute: 'Unmute microphone',
  captions: 'Captions',
  close: 'Close',
  messages: 'Conversation',
  suggestions: 'Suggestions',
  demo: 'Demo',
  online: 'Ready to help',
  connecting: 'Connecting…',
  reconnecting: 'Reconnecting…',
  listening: 'Listening',
  thinking: 'Thinking…',
  speaking: 'Speaking – just cut in',
  looking: 'Looking that up…',
  approval: 'Waits for somebody’s approval',
  muted: 'You are muted',
  unheard: 'Not heard',
  unsent: 'Not sent',
  sending: 'Sending…',
  earlier: 'Earlier',
  callEnded: 'Call ended',
  ended: 'Conversation ended',
  again: 'Talk again',
  retry: 'Try again',
  keepTyping: 'Or keep writing below.',
  here: 'Continue here',
  paused: 'Your call was interrupted.',
  goOn: 'Continue the call',
  lost: 'The connection was lost.',
  idle: 'It was quiet for a while.',
  cap: 'The time limit was reached.',
  mic: {
    blocked: 'The microphone is blocked. Allow it in the address bar, then try again. You can keep writing.',
    missing: 'No microphone was found. Connect one and try again, or keep writing.',
    policy: 'This page does not let the chat use the microphone. You can keep writing.',
    lost: 'The microphone was disconnected. You can keep writing.',
    gesture: 'The browser needs one more click before it plays sound.',
    failed: 'The microphone could not be opened. Another app may be using it. You can keep writing.',
  },
  notices: {
    credit_low: 'This conversation will end soon.',
    wrapping_up: 'The conversation is ending.',
    engine_trouble: 'One moment, please…',
    gone: 'The connection was lost for a while. The conversation goes on here.',
  },
  // What the gateway says is English already.
  problems: {},
  visuals: {},
}
