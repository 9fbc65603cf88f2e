import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { PasskeyView } from '../../api/account-calls.ts'
import { makePasskey, PasskeyFault, passkeysWork } from '../../api/passkey.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'

export function Passkeys() {
  const { account } = useScope().whole
  const queries = useQueryClient()
  const passkeys = useQuery({ queryKey: ['account', 'passkeys'], queryFn: () => account.passkeys() })
  const add = useMutation({
    mutationFn: async () => account.keepPasskey(await makePasskey(await account.passkeyOptions()), deviceName()),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['account', 'passkeys'] })
      notifyDone('This device lets you in from now on.')
    },
    onError: (error) => notifyFailed(error instanceof PasskeyFault ? error.message : inWords(error)),
  })
  return (
    <Section
      title="Passkeys"
      note="Sign in with this device’s own lock, without a password."
      actions={
        <Button icon="key" busy={add.isPending} disabled={!passkeysWork()} onClick={() => add.mutate()}>
          Add this device
        </Button>
      }
    >
      {passkeys.isPending && <Loading rows={1} label="Loading passkeys" />}
      {passkeys.isError && <ProblemBox error={passkeys.error} onRetry={() => void passkeys.refetch()} />}
      {passkeys.isSuccess && passkeys.data.items.length === 0 && <p className="quiet">No passkey yet.</p>}
      {passkeys.isSuccess && passkeys.data.items.length > 0 && (
        <ul className="account-list" aria-label="Passkeys">
          {passkeys.data.items.map((passkey) => (
            <Passkey key={passkey.id} passkey={passkey} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function Passkey({ passkey }: { passkey: PasskeyView }) {
  const { account } = useScope().whole
  const queries = useQueryClient()
  const remove = useMutation({
    mutationFn: () => account.removePasskey(passkey.id),
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['account', 'passkeys'] }),
  })
  const name = passkey.name ?? 'Passkey'
  return (
    <li>
      <span>
        <strong>{name}</strong>
        {passkey.createdAt !== undefined && (
          <small>
            added <Time at={passkey.createdAt} />
          </small>
        )}
      </span>
      <Button variant="ghost" busy={remove.isPending} onClick={() => remove.mutate()} aria-label={`Remove ${name}`}>
        Remove
      </Button>
    </li>
  )
}

/** What a person tells their devices apart by. */
function deviceName(): string {
  const agent = navigator.userAgent
  const systems = ['iPhone', 'iPad', 'Android', 'Mac OS', 'Windows', 'CrOS', 'Linux']
  const browsers = ['Firefox', 'Edg', 'Chrome', 'Safari']
  const first = (words: readonly string[]) => words.find((word) => agent.includes(word))
  return [first(browsers)?.replace('Edg', 'Edge'), first(systems)].filter((word) => word !== undefined).join(' on ')
}
