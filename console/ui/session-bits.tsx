// Pieces of a session that several screens show.

import type { SessionView, Transport } from '../../gateway/protocol/rest.ts'
import type { Channel } from '../../gateway/protocol/turn.ts'
import { DemoBadge, Pill } from './pill.tsx'
import { activities, channelNames, endReasons, transportNames, unknownWord } from './words.ts'

export function channelName(channel: Channel): string {
  return channelNames[channel] ?? unknownWord(channel)
}

export function transportName(transport: Transport): string {
  return transportNames[transport] ?? unknownWord(transport)
}

/** Contacts have no names yet: the end of the id tells them apart, the whole id is on hover. */
export function contactName(session: SessionView): string {
  const who = session.channel === 'voice' ? 'Caller' : 'Visitor'
  return `${who} ${session.contactId.slice(-4)}`
}

export function stateName(session: SessionView): string {
  if (session.state === 'live') return activities[session.activity] ?? unknownWord(session.activity)
  if (session.state === 'opening') return 'Opening'
  return session.state === 'ending' ? 'Ending' : 'Ended'
}

export function StateMark({ session }: { session: SessionView }) {
  const look = session.state === 'live' ? session.activity : session.state
  return (
    <span className="state-mark" data-look={look}>
      <span className="state-dot" aria-hidden="true" />
      {stateName(session)}
    </span>
  )
}

export function EndReasonPill({ session }: { session: SessionView }) {
  if (session.endReason === undefined) return <span className="quiet">–</span>
  const known = endReasons[session.endReason]
  return <Pill tone={known?.tone ?? 'neutral'}>{known?.text ?? unknownWord(session.endReason)}</Pill>
}

export function EngineName({ session }: { session: SessionView }) {
  const { kind, model, demo } = session.engine
  const name = model === '' || model === kind ? kind : model
  return demo ? (
    <DemoBadge />
  ) : (
    <span className="engine" title={`${kind} · ${model}`}>
      {name}
    </span>
  )
}
