// Names of the protocol's closed sets, in words.

import type { ProblemCode } from '../../gateway/protocol/codes.ts'
import type { EndReason } from '../../gateway/protocol/realtime.ts'
import type { EntryView, SessionView, Transport } from '../../gateway/protocol/rest.ts'
import type { Channel, TurnRole } from '../../gateway/protocol/turn.ts'

export type Tone = 'neutral' | 'info' | 'good' | 'warn' | 'bad' | 'tool'

export const transportNames: Readonly<Record<Transport, string>> = {
  websocket: 'WebSocket',
  webrtc: 'WebRTC',
  livekit: 'LiveKit',
  direct: 'WebRTC, direct',
}

export const channelNames: Readonly<Record<Channel, string>> = {
  widget: 'Widget',
  console: 'Console',
  voice: 'Phone',
  api: 'API',
  whatsapp: 'WhatsApp',
  sms: 'SMS',
  email: 'E-mail',
  instagram: 'Instagram',
  facebook_messenger: 'Messenger',
  webchat: 'Web chat',
  telegram: 'Telegram',
  pushover: 'Pushover',
}

export const endReasons: Readonly<Record<EndReason, { readonly text: string; readonly tone: Tone }>> = {
  client_ended: { text: 'Hung up', tone: 'neutral' },
  client_gone: { text: 'Connection lost', tone: 'warn' },
  idle: { text: 'Idle', tone: 'neutral' },
  duration_cap: { text: 'Time limit', tone: 'warn' },
  out_of_credit: { text: 'Out of credit', tone: 'bad' },
  operator: { text: 'Ended by operator', tone: 'info' },
  revoked: { text: 'Revoked', tone: 'warn' },
  engine_failed: { text: 'Engine failed', tone: 'bad' },
  engine_ended: { text: 'Ended by engine', tone: 'neutral' },
  drain: { text: 'Gateway restart', tone: 'neutral' },
  janitor: { text: 'Closed by janitor', tone: 'warn' },
  replaced: { text: 'Continued over a newer connection', tone: 'neutral' },
  internal: { text: 'Internal error', tone: 'bad' },
}

export const activities: Readonly<Record<SessionView['activity'], string>> = {
  listening: 'Listening',
  thinking: 'Thinking',
  speaking: 'Speaking',
  tool: 'Using a tool',
}

export const roleNames: Readonly<Record<TurnRole, string>> = {
  user: 'Visitor',
  agent: 'Agent',
  tool: 'Tool',
  system: 'System',
}

export const entryKinds: Readonly<Record<EntryView['kind'], { readonly text: string; readonly tone: Tone }>> = {
  grant: { text: 'Grant', tone: 'good' },
  purchase: { text: 'Purchase', tone: 'good' },
  settle: { text: 'Session', tone: 'neutral' },
  deduct: { text: 'Charge', tone: 'neutral' },
  refund: { text: 'Refund', tone: 'info' },
  adjust: { text: 'Adjustment', tone: 'warn' },
  expire: { text: 'Expired', tone: 'neutral' },
  debt: { text: 'Debt', tone: 'bad' },
  repay: { text: 'Debt paid', tone: 'info' },
}

/** What to tell the operator when the live line is refused. */
export const refusals: Partial<Record<ProblemCode, string>> = {
  unauthenticated: 'Signed out',
  forbidden: 'Live view not allowed',
  not_found: 'Unknown tenant',
}

/** `engine_failed` and friends, from a newer gateway. */
export function unknownWord(code: string): string {
  const words = code.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
