import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { Api } from '../../api/client.ts'
import { inWords } from '../../api/problem.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { TextField } from '../../ui/text-fields.tsx'

/** The link of an invitation: a name, and a password for the next time. */
export function AcceptInvitation({ api, token }: { api: Api; token: string }) {
  const router = useRouter()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const accept = useMutation({
    mutationFn: () => api.acceptInvitation(token, name.trim(), password),
    onSuccess: () => {
      queries.clear()
      router.history.replace('/console/')
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    accept.mutate()
  }
  return (
    <form onSubmit={submit}>
      <h1>You are invited</h1>
      {accept.isError && (
        <div className="problem" role="alert">
          <Icon name="alert" />
          <p>{inWords(accept.error)}</p>
        </div>
      )}
      <p>Say what the team should call you. The link works once.</p>
      <div className="sign-in-fields">
        <TextField
          id="invited-name"
          label="Your name"
          value={name}
          onChange={setName}
          autoComplete="name"
          maxLength={120}
          required
        />
        <TextField
          id="invited-password"
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="new-password"
          maxLength={128}
          hint="12 characters or more. Leave it empty if you have an account here: sign in with it first."
        />
      </div>
      <Button type="submit" variant="primary" busy={accept.isPending}>
        Join the team
      </Button>
    </form>
  )
}
