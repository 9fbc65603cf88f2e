import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { inWords, isConflict, issuesOf } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { TextField } from '../../ui/text-fields.tsx'

type Kind = 'first' | 'change'

export function Password() {
  const [kind, setKind] = useState<Kind>('change')
  return (
    <Section
      title="Password"
      note="Beside the one-time link that the gateway prints."
      actions={
        <fieldset className="segments" aria-label="Password">
          <button type="button" aria-pressed={kind === 'change'} onClick={() => setKind('change')}>
            Change it
          </button>
          <button type="button" aria-pressed={kind === 'first'} onClick={() => setKind('first')}>
            Set a first one
          </button>
        </fieldset>
      }
    >
      {kind === 'first' ? <FirstPassword onHasOne={() => setKind('change')} /> : <ChangePassword />}
    </Section>
  )
}

function FirstPassword({ onHasOne }: { onHasOne: () => void }) {
  const { account } = useScope().whole
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const run = useMutation({
    mutationFn: () => account.setPassword(password, email.trim() === '' ? undefined : email.trim()),
    onSuccess: () => {
      setPassword('')
      notifyDone('You can sign in by e-mail and password now.')
      onHasOne()
    },
    onError: (error) => {
      if (isConflict(error)) onHasOne()
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  const issue = (path: string) => issuesOf(run.error).find((each) => each.path === path)?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <form className="account-form" onSubmit={submit}>
      <TextField
        id="first-email"
        label="E-mail"
        hint="Empty when the team knows your address already."
        type="email"
        autoComplete="username"
        value={email}
        onChange={setEmail}
        maxLength={254}
        issue={issue('email')}
      />
      <TextField
        id="first-password"
        label="Password"
        type="password"
        autoComplete="new-password"
        value={password}
        onChange={setPassword}
        maxLength={128}
        required
        issue={issue('password')}
      />
      <Button type="submit" variant="primary" busy={run.isPending}>
        Set password
      </Button>
    </form>
  )
}

function ChangePassword() {
  const { account } = useScope().whole
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const run = useMutation({
    mutationFn: () => account.changePassword(current, next),
    onSuccess: () => {
      setCurrent('')
      setNext('')
      notifyDone('Password changed; every other session has ended.')
    },
    onError: (error) => {
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  const issue = (path: string) => issuesOf(run.error).find((each) => each.path === path)?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <form className="account-form" onSubmit={submit}>
      <TextField
        id="current-password"
        label="Current password"
        type="password"
        autoComplete="current-password"
        value={current}
        onChange={setCurrent}
        maxLength={128}
        required
        issue={issue('currentPassword')}
      />
      <TextField
        id="new-password"
        label="New password"
        type="password"
        autoComplete="new-password"
        value={next}
        onChange={setNext}
        maxLength={128}
        required
        issue={issue('newPassword')}
      />
      <Button type="submit" variant="primary" busy={run.isPending}>
        Change password
      </Button>
    </form>
  )
}
