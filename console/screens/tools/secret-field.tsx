import { useQuery } from '@tanstack/react-query'
import { useMay, useScope } from '../../api/scope.tsx'
import { secretsQuery } from '../../api/tool-queries.ts'
import { TextField } from '../../ui/text-fields.tsx'

type SecretFieldProps = Pick<Parameters<typeof TextField>[0], 'id' | 'label' | 'hint' | 'value' | 'onChange' | 'issue'>

/** The name of a secret of the tenant; the secret itself is never shown anywhere. */
export function SecretField(props: SecretFieldProps) {
  const secrets = useQuery({ ...secretsQuery(useScope()), enabled: useMay()('secrets.read') }).data ?? []
  return (
    <TextField
      {...props}
      mono
      placeholder="name of a secret"
      maxLength={64}
      suggestions={secrets.map((each) => each.name)}
    />
  )
}
