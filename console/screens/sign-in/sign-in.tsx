import { useMutation, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useLocation, useNavigate, useRouter } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import type { Api } from '../../api/client.ts'
import { inWords, isSignedOut } from '../../api/problem.ts'
import { Icon } from '../../ui/icon.tsx'
import { AcceptInvitation } from './accept-invitation.tsx'
import { SignInForm } from './sign-in-form.tsx'
import { invitationOf, safeBack, tokenOf } from './sign-in-link.ts'
import './sign-in.css'

const route = getRouteApi('/sign-in')

export function SignIn() {
  const { api } = route.useRouteContext()
  const { back } = route.useSearch()
  const { hash } = useLocation()
  const navigate = useNavigate()
  const router = useRouter()
  const queries = useQueryClient()
  const enter = () => {
    queries.clear()
    router.history.replace(safeBack(back))
  }
  const { mutate, status, error } = useMutation({
    mutationFn: (token: string) => api.signIn(token),
    onSuccess: enter,
  })
  // The link works once, and effects may run twice: the token is spent by whoever sees it first.
  const spent = useRef<string | undefined>(undefined)
  useEffect(() => {
    const token = tokenOf(hash)
    if (token === undefined || spent.current === token) return
    spent.current = token
    void navigate({ to: '/sign-in', search: (old) => old, hash: '', replace: true })
    mutate(token)
  }, [hash, navigate, mutate])
  useEffect(() => {
    document.title = 'Sign in · Parley'
  }, [])
  const invitation = invitationOf(hash)
  if (invitation !== undefined)
    return (
      <Card>
        <AcceptInvitation api={api} token={invitation} />
      </Card>
    )
  return (
    <Card>
      {status === 'pending' || status === 'success' ? <Busy /> : <Ask api={api} error={error} onIn={enter} />}
    </Card>
  )
}

function Card({ children }: { children: ReactNode }) {
  return (
    <main className="sign-in" id="main">
      <div className="sign-in-card">
        <span className="sign-in-mark" aria-hidden="true">
          <Icon name="agent" size={22} />
        </span>
        {children}
      </div>
    </main>
  )
}

function Busy() {
  return (
    <div role="status">
      <h1>Signing you in</h1>
      <p>One moment.</p>
    </div>
  )
}

function Ask({ api, error, onIn }: { api: Api; error: unknown; onIn: () => void }) {
  return (
    <>
      <h1>Sign in to the console</h1>
      {error !== null && (
        <div className="problem" role="alert">
          <Icon name="alert" />
          <p>
            <strong>This link did not work.</strong> {wordsOf(error)}
          </p>
        </div>
      )}
      <SignInForm api={api} onIn={onIn} />
      <details className="sign-in-link">
        <summary>No password yet?</summary>
        <p>The gateway prints a one-time link when it starts:</p>
        <ol>
          <li>Look at the terminal or the log in which the gateway was started.</li>
          <li>
            Find the line that ends in <code>/console/sign-in#token=…</code>
          </li>
          <li>Open that link in this browser. It works once.</li>
        </ol>
        <p className="quiet">Used it already? Restart the gateway for a new one, or ask your team for an invitation.</p>
      </details>
    </>
  )
}

function wordsOf(error: unknown): string {
  return isSignedOut(error) ? 'It was used already, or it is too old.' : inWords(error)
}
