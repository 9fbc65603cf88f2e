import type { ReactNode } from 'react'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import { CopyId } from '../../ui/copy.tsx'
import { absolute, count, credits, spoken, usd } from '../../ui/format.ts'
import { LatencyChip } from '../../ui/pill.tsx'
import { channelName, EngineName, transportName } from '../../ui/session-bits.tsx'
import { Duration, Time } from '../../ui/time.tsx'

export function Facts({ session }: { session: SessionView }) {
  const endedAt = session.state === 'ended' ? (session.endedAt ?? session.lastSeenAt) : undefined
  return (
    <div className="facts">
      <FactList title="Conversation">
        <Fact name="Contact">
          <CopyId id={session.contactId} name="contact id" />
        </Fact>
        <Fact name="Conversation">
          <CopyId id={session.conversationId} name="conversation id" />
        </Fact>
        <Fact name="Agent">{session.agent.name}</Fact>
        <Fact name="Channel">{channelName(session.channel)}</Fact>
        {session.transport !== undefined && <Fact name="Connection">{transportName(session.transport)}</Fact>}
        <Fact name="Engine">
          <EngineName session={session} />
        </Fact>
        {session.engine.passedOver?.map(({ kind, reason }) => (
          <Fact key={kind} name="Instead of">
            <span title={reason}>{kind}</span>
          </Fact>
        ))}
      </FactList>
      <FactList title="Time">
        <Fact name="Started">
          <Time at={session.startedAt} />
        </Fact>
        {endedAt !== undefined && (
          <Fact name="Ended">
            <span title={absolute(endedAt)}>
              <Time at={endedAt} />
            </span>
          </Fact>
        )}
        <Fact name="Duration">
          <Duration startedAt={session.startedAt} endedAt={endedAt} />
        </Fact>
        <Fact name="Metered">{spoken(session.seconds)}</Fact>
      </FactList>
      <FactList title="Talk">
        <Fact name="Turns">{count(session.turns)}</Fact>
        <Fact name="Interruptions">{count(session.interruptions)}</Fact>
        <Fact name="Median latency">
          <LatencyChip ms={session.latencyMs} />
        </Fact>
        <Fact name="Tokens">{count(session.tokens)}</Fact>
      </FactList>
      <FactList title="Money">
        <Fact name="Credits">{credits(session.creditsMicro)}</Fact>
        <Fact name="Cost">{session.costUsdMicro === null ? <Unknown /> : usd(session.costUsdMicro)}</Fact>
      </FactList>
    </div>
  )
}

function FactList({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="fact-group">
      <h2>{title}</h2>
      <dl>{children}</dl>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Unknown() {
  return (
    <span className="quiet" title="No price is known for this engine">
      unknown
    </span>
  )
}
