import { Button, IconButton } from '../../../ui/button.tsx'
import { type Choice, SelectField } from '../../../ui/choice-fields.tsx'
import { FieldGroup } from '../../../ui/field.tsx'
import { TextField } from '../../../ui/text-fields.tsx'
import { SecretField } from '../secret-field.tsx'
import type { AuthForm } from './tool-form.ts'

const types: readonly Choice<AuthForm['type']>[] = [
  { value: 'bearer', name: 'Bearer token' },
  { value: 'header', name: 'Header' },
  { value: 'query', name: 'Query parameter' },
  { value: 'basic', name: 'User and password' },
]

interface AuthFieldProps {
  readonly value: readonly AuthForm[]
  readonly onChange: (value: readonly AuthForm[]) => void
  readonly issue: string | undefined
}

/** Credentials are named, not typed: the secret itself stays in the gateway. */
export function AuthField({ value, onChange, issue }: AuthFieldProps) {
  const set = (at: number, next: AuthForm) => onChange(value.map((each, index) => (index === at ? next : each)))
  return (
    <FieldGroup
      id="tool-auth"
      label="Credentials"
      hint="A secret of the tenant, by its name. No model and no browser sees it."
      issue={issue}
    >
      {value.map((auth, at) => (
        <div key={at} className="auth-row">
          <One auth={auth} n={at + 1} onChange={(next) => set(at, next)} />
          <IconButton
            icon="trash"
            label={`Remove credentials ${at + 1}`}
            onClick={() => onChange(value.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <div>
        <Button variant="ghost" icon="plus" onClick={() => onChange([...value, { type: 'bearer', secret: '' }])}>
          Add credentials
        </Button>
      </div>
    </FieldGroup>
  )
}

function One({ auth, n, onChange }: { auth: AuthForm; n: number; onChange: (auth: AuthForm) => void }) {
  const id = `tool-auth-${n}`
  const { secret } = auth
  const withType = (type: AuthForm['type']): AuthForm => {
    if (type === 'bearer') return { type, secret }
    if (type === 'basic') return { type, user: '', secret }
    return type === 'query' ? { type, name: '', secret } : { type, name: '', prefix: '', secret }
  }
  return (
    <>
      <SelectField
        id={`${id}-type`}
        label="Sent as"
        value={auth.type}
        choices={types}
        onChange={(type) => onChange(withType(type))}
      />
      {(auth.type === 'header' || auth.type === 'query') && (
        <TextField
          id={`${id}-name`}
          label="Name"
          value={auth.name}
          onChange={(name) => onChange({ ...auth, name })}
          maxLength={100}
          mono
        />
      )}
      {auth.type === 'header' && (
        <TextField
          id={`${id}-prefix`}
          label="In front of it"
          value={auth.prefix}
          onChange={(prefix) => onChange({ ...auth, prefix })}
          maxLength={40}
          placeholder="nothing"
          mono
        />
      )}
      {auth.type === 'basic' && (
        <TextField
          id={`${id}-user`}
          label="User"
          value={auth.user}
          onChange={(user) => onChange({ ...auth, user })}
          maxLength={200}
          mono
        />
      )}
      <SecretField
        id={`${id}-secret`}
        label="Secret"
        value={secret}
        onChange={(next) => onChange({ ...auth, secret: next })}
      />
    </>
  )
}
