import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { NewTotp } from '../../api/account-calls.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { TextField } from '../../ui/text-fields.tsx'

type Asking = 'begin' | 'codes' | 'end'
const texts: Readonly<Record<Asking, { readonly title: string; readonly action: string }>> = {
  begin: { title: 'Set up an authenticator app', action: 'Continue' },
  codes: { title: 'New backup codes', action: 'Make new codes' },
  end: { title: 'Turn the second factor off', action: 'Turn off' },
}

/** A code of an app that is asked for after the password. */
export function SecondFactor() {
  const [asking, setAsking] = useState<Asking>()
  return (
    <Section title="Second factor" note="A code of an authenticator app, asked for after the password.">
      <div className="account-do">
        <Button icon="shield" onClick={() => setAsking('begin')}>
          Set up an app
        </Button>
        <Button variant="ghost" onClick={() => setAsking('codes')}>
          New backup codes
        </Button>
        <Button variant="ghost" onClick={() => setAsking('end')}>
          Turn off
        </Button>
      </div>
      {asking !== undefined && <Ask asking={asking} onClose={() => setAsking(undefined)} />}
    </Section>
  )
}

function Ask({ asking, onClose }: { asking: Asking; onClose: () => void }) {
  const { account } = useScope().whole
  const [password, setPassword] = useState('')
  const [fresh, setFresh] = useState<NewTotp>()
  const [codes, setCodes] = useState<readonly string[]>()
  const run = useMutation({
    mutationFn: async () => {
      if (asking === 'begin') setFresh(await account.beginTotp(password))
      else if (asking === 'codes') setCodes((await account.newBackupCodes(password)).backupCodes)
      else await account.endTotp(password)
    },
    onSuccess: () => {
      if (asking !== 'end') return
      notifyDone('The second factor is off.')
      onClose()
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  if (fresh !== undefined) return <Confirm fresh={fresh} onClose={onClose} />
  if (codes !== undefined)
    return (
      <Modal open onOpenChange={onClose} title="Backup codes" sticky>
        <Codes codes={codes} />
      </Modal>
    )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <Modal open onOpenChange={onClose} title={texts[asking].title} description="Your password first.">
      <form onSubmit={submit}>
        <TextField
          id="factor-password"
          label="Password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          required
        />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={run.isPending}>
            {texts[asking].action}
          </Button>
        </div>
      </form>
    </Modal>
  )
}

/** Nothing is asked for at the next sign-in until a first code has shown that the app has it. */
function Confirm({ fresh, onClose }: { fresh: NewTotp; onClose: () => void }) {
  const { account } = useScope().whole
  const [code, setCode] = useState('')
  const secret = new URL(fresh.totpURI).searchParams.get('secret') ?? ''
  const run = useMutation({
    mutationFn: () => account.verifyTotp(code.trim()),
    onSuccess: () => {
      notifyDone('The second factor is on.')
      onClose()
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <Modal
      open
      onOpenChange={onClose}
      title="Your authenticator app"
      description="Give the app this key, keep the backup codes somewhere safe, then type a first code. Both are shown this once."
      sticky
      wide
    >
      <div className="totp">
        <code className="secret" data-secret>
          {secret}
        </code>
        <p>
          <CopyButton text={secret} label="Copy key" />{' '}
          <a className="button" href={fresh.totpURI}>
            Open in an app on this device
          </a>
        </p>
      </div>
      <Codes codes={fresh.backupCodes} />
      <form onSubmit={submit}>
        <TextField
          id="factor-code"
          label="First code"
          value={code}
          onChange={setCode}
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={8}
          mono
          required
        />
        <div className="modal-actions">
          <Button type="submit" variant="primary" busy={run.isPending}>
            Turn on
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function Codes({ codes }: { codes: readonly string[] }) {
  return (
    <div className="backup-codes">
      <ul aria-label="Backup codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <CopyButton text={codes.join('\n')} label="Copy codes" />
    </div>
  )
}
