import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { SessionView } from '../../../gateway/protocol/rest.ts'
import type { Turn } from '../../../gateway/protocol/turn.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { roleNames, unknownWord } from '../../ui/words.ts'
import { TurnRow } from './turn-row.tsx'
import type { SessionData } from './use-session.ts'
import './transcript.css'

/** Within this many pixels of the end a reader counts as following along. */
const nearEndPx = 48

export function Transcript({ data, session }: { data: SessionData; session: SessionView }) {
  const { turns, loading } = data
  const running = session.state !== 'ended'
  const scroller = useRef<HTMLDivElement>(null)
  const { following, follow, onScroll } = useFollowing(scroller, turns, running)
  return (
    <section className="transcript" aria-label="Transcript">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <div className="transcript-scroll" ref={scroller} onScroll={onScroll} tabIndex={0}>
        {/* Streaming text would stutter in a screen reader: finished turns are announced below instead. */}
        <div className="turns" role="log" aria-live="off" aria-label="Turns">
          {turns.map((turn) => (
            <TurnRow key={turn.id} turn={turn} startedAt={session.startedAt} agentName={session.agent.name} />
          ))}
        </div>
        {turns.length === 0 && <NoTurns data={data} running={running} />}
        {turns.length > 0 && loading && <Loading rows={2} />}
        {turns.length > 0 && !running && <p className="transcript-end">End of the session</p>}
      </div>
      {!following && running && (
        <Button icon="arrow" className="transcript-latest" onClick={follow}>
          Latest
        </Button>
      )}
      {running && <Announcer turns={turns} />}
    </section>
  )
}

function NoTurns({ data, running }: { data: SessionData; running: boolean }) {
  if (data.error !== null) return <ProblemBox error={data.error} onRetry={data.retry} />
  if (data.loading) return <Loading label="Loading the transcript" />
  return (
    <Empty icon="mic" title="Nothing said yet">
      <p>{running ? 'Words appear here as they are spoken.' : 'This session ended without a word.'}</p>
    </Empty>
  )
}

/** A past session is read from its start; a running one is followed until the reader scrolls up. */
function useFollowing(scroller: RefObject<HTMLDivElement | null>, turns: readonly Turn[], running: boolean) {
  const [following, setFollowing] = useState(running)
  const onScroll = () => {
    const box = scroller.current
    if (box !== null) setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < nearEndPx)
  }
  const toEnd = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  // Each change of the turns may have made the list longer.
  useLayoutEffect(() => {
    if (following && running) toEnd()
  }, [turns, following, running])
  const follow = () => {
    setFollowing(true)
    toEnd()
  }
  return { following, follow, onScroll }
}

/** Speaks finished turns once, politely. */
function Announcer({ turns }: { turns: readonly Turn[] }) {
  const last = turns.findLast((turn) => turn.state !== 'partial' && turn.text !== '')
  const [said, setSaid] = useState('')
  const first = useRef(true)
  const text = last === undefined ? '' : `${roleNames[last.role] ?? unknownWord(last.role)}: ${last.text}`
  useEffect(() => {
    // What was said before the page opened is read in the log, not announced.
    if (first.current) first.current = text === ''
    else setSaid(text)
  }, [text])
  return (
    <div className="sr" aria-live="polite">
      {said}
    </div>
  )
}
