import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { Api } from '../../api/client.ts'
import { askPasskey, PasskeyFault, passkeysWork } from '../../api/passkey.ts'
import { inWords, isSignedOut } from '../../api/problem.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { TextField } from '../../ui/text-fields.tsx'

interface SignInFormProps {
  readonly api: Api
  readonly onIn: () => void
}

/** E-mail and password, then the code where there is a second factor; or a passkey alone. */
export function SignInForm({ api, onIn }: SignInFormProps) {
  const [asksCode, setAsksCode] = useState(false)
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const byPassword = useMutation({
    mutationFn: () => api.account.signInByPassword(email.trim(), password),
    onSuccess: (answer) => (answer.twoFactorRedirect === true ? setAsksCode(true) : onIn()),
  })
  const byPasskey = useMutation({
    mutationFn: async () => api.account.signInByPasskey(await askPasskey(await api.account.passkeySignInOptions())),
    onSuccess: onIn,
  })
  if (asksCode) return <CodeForm api={api} onIn={onIn} />
  const submit = (event: FormEvent) => {
    event.preventDefault()
    byPasskey.reset()
    byPassword.mutate()
  }
  return (
    <form className="sign-in-fields" onSubmit={submit}>
      <Refusal error={byPassword.error ?? byPasskey.error} />
      <TextField
        id="sign-in-email"
        label="E-mail"
        type="email"
        autoComplete="username"
        value={email}
        onChange={setEmail}
        required
      />
      <TextField
        id="sign-in-password"
        label="Password"
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        required
      />
      <div className="sign-in-do">
        <Button type="submit" variant="primary" busy={byPassword.isPending}>
          Sign in
        </Button>
        {passkeysWork() && (
          <Button icon="key" busy={byPasskey.isPending} onClick={() => byPasskey.mutate()}>
            Use a passkey
          </Button>
        )}
      </div>
    </form>
  )
}

function CodeForm({ api, onIn }: SignInFormProps) {
  const [code, setCode] = useState('')
  const [backup, setBackup] = useState(false)
  const run = useMutation({
    mutationFn: () => (backup ? api.account.verifyBackupCode(code.trim()) : api.account.verifyTotp(code.trim())),
    onSuccess: onIn,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <form className="sign-in-fields" onSubmit={submit}>
      <Refusal error={run.error} />
      <TextField
        id="sign-in-code"
        label={backup ? 'Backup code' : 'Code of your authenticator app'}
        autoComplete="one-time-code"
        inputMode={backup ? 'text' : 'numeric'}
        value={code}
        onChange={setCode}
        maxLength={20}
        mono
        required
      />
      <div className="sign-in-do">
        <Button type="submit" variant="primary" busy={run.isPending}>
          Continue
        </Button>
        <Button variant="ghost" onClick={() => setBackup((old) => !old)}>
          {backup ? 'Use the app' : 'Use a backup code'}
        </Button>
      </div>
    </form>
  )
}

function Refusal({ error }: { error: Error | null }) {
  if (error === null) return null
  const text =
    error instanceof PasskeyFault ? error.message : isSignedOut(error) ? 'That did not match.' : inWords(error)
  return (
    <div className="problem" role="alert">
      <Icon name="alert" />
      <p>{text}</p>
    </div>
  )
}
