import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { SignInSessionView } from '../../../gateway/protocol/team.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'

export function Sessions() {
  const { account } = useScope().whole
  const queries = useQueryClient()
  const sessions = useQuery({ queryKey: ['account', 'sessions'], queryFn: () => account.sessions() })
  const others = sessions.data?.items.filter((session) => !session.current).length ?? 0
  const end = useMutation({
    mutationFn: () => account.endOtherSessions(),
    onSuccess: () => notifyDone('You are signed in here only.'),
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['account', 'sessions'] }),
  })
  return (
    <Section
      title="Where you are signed in"
      actions={
        others > 0 && (
          <Button variant="danger" busy={end.isPending} onClick={() => end.mutate()}>
            End all others
          </Button>
        )
      }
    >
      {sessions.isPending && <Loading rows={2} label="Loading sessions" />}
      {sessions.isError && <ProblemBox error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.isSuccess && (
        <ul className="account-list" aria-label="Sessions">
          {sessions.data.items.map((session) => (
            <SignInSession key={session.id} session={session} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function SignInSession({ session }: { session: SignInSessionView }) {
  const { account } = useScope().whole
  const queries = useQueryClient()
  const end = useMutation({
    mutationFn: () => account.endSession(session.id),
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['account', 'sessions'] }),
  })
  return (
    <li data-session={session.id}>
      <span>
        <strong title={session.userAgent}>{shortAgent(session.userAgent)}</strong>{' '}
        {session.current && <Pill tone="good">This one</Pill>}
        <small>
          {session.ip || 'address unknown'} · since <Time at={session.createdAt} /> · seen{' '}
          <Time at={session.lastSeenAt} />
        </small>
      </span>
      {!session.current && (
        <Button variant="ghost" busy={end.isPending} onClick={() => end.mutate()}>
          End
        </Button>
      )}
    </li>
  )
}

function shortAgent(agent: string): string {
  const browser = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(agent)
  const system = /\(([^;)]+)/.exec(agent)?.[1]
  const names: Readonly<Record<string, string>> = { Edg: 'Edge', Version: 'Safari', X11: 'Linux', Macintosh: 'Mac' }
  if (browser === null) return agent === '' ? 'Unknown program' : agent.slice(0, 60)
  const name = names[browser[1] ?? ''] ?? browser[1]
  return `${name} ${browser[2]}${system === undefined ? '' : ` on ${names[system] ?? system}`}`
}
