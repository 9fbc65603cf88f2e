import { memo } from 'react'
import type { Turn } from '../../../gateway/protocol/turn.ts'
import { absolute, clock, latency } from '../../ui/format.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Visual } from '../../ui/visual/visual.tsx'
import { roleNames } from '../../ui/words.ts'
import { Citations } from './citations.tsx'
import { ToolCall } from './tool-call.tsx'
import { Waited } from './waited.tsx'

const roleIcons: Readonly<Record<Turn['role'], IconName>> = {
  user: 'user',
  agent: 'agent',
  tool: 'tool',
  system: 'system',
}

interface TurnRowProps {
  readonly turn: Turn
  readonly startedAt: string
  readonly agentName: string
}

export const TurnRow = memo(function TurnRow({ turn, startedAt, agentName }: TurnRowProps) {
  const offset = (Date.parse(turn.createdAt) - Date.parse(startedAt)) / 1000
  const name = turn.role === 'agent' ? agentName : roleNames[turn.role]
  return (
    <article className="turn" data-role={turn.role} data-state={turn.state} data-turn={turn.id} aria-label={name}>
      <time className="turn-time number" dateTime={turn.createdAt} title={absolute(turn.createdAt)}>
        {clock(offset)}
      </time>
      <span className="turn-mark" aria-hidden="true">
        <Icon name={roleIcons[turn.role] ?? 'system'} size={14} />
      </span>
      <div className="turn-body">
        <header className="turn-head">
          <strong>{name}</strong>
          <Medium turn={turn} />
          {turn.latencyMs !== undefined && <Waited ms={turn.latencyMs} split={turn.latency} />}
          {turn.state === 'interrupted' && <Pill tone="warn">Interrupted</Pill>}
          {turn.state === 'failed' && <Pill tone="bad">Failed</Pill>}
        </header>
        <Words turn={turn} />
        {turn.citations !== undefined && <Citations citations={turn.citations} />}
        {turn.tool !== undefined && <ToolCall tool={turn.tool} />}
        {turn.visual !== undefined && <Visual shown={turn.visual} />}
        {turn.state === 'interrupted' && turn.audio !== undefined && <Heard audio={turn.audio} />}
      </div>
    </article>
  )
})

function Medium({ turn }: { turn: Turn }) {
  if (turn.role === 'tool' || turn.role === 'system') return null
  const label = turn.voice ? 'Spoken' : 'Typed'
  return (
    <span className="turn-medium" title={label}>
      <Icon name={turn.voice ? 'mic' : 'keyboard'} size={13} />
      <span className="sr">{label}</span>
    </span>
  )
}

function Words({ turn }: { turn: Turn }) {
  const unheard = turn.unheard ?? ''
  if (turn.text === '' && unheard === '' && turn.state !== 'partial') return null
  return (
    <p className="turn-text">
      {turn.text}
      {unheard !== '' && (
        <>
          {' '}
          <del title="Generated, but the visitor never heard it">
            <span className="sr">Not heard: </span>
            {unheard}
          </del>
        </>
      )}
      {turn.state === 'partial' && turn.tool === undefined && <span className="cursor" aria-hidden="true" />}
    </p>
  )
}

function Heard({ audio }: { audio: NonNullable<Turn['audio']> }) {
  const share = audio.sentMs > 0 ? Math.min(1, audio.playedMs / audio.sentMs) : 0
  return (
    <div className="heard">
      <span className="heard-bar" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      heard {latency(audio.playedMs)} of {latency(audio.sentMs)}
    </div>
  )
}
