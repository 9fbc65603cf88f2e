import { useQuery } from '@tanstack/react-query'
import { useScope } from '../../api/scope.tsx'
import { rolesQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { FieldGroup } from '../../ui/field.tsx'

/** A key in a server's environment leaks more easily than a session: these are never given to one. */
const notForKeys = ['credits.write', 'keys.', 'roles.', 'secrets.', 'team.', 'tenant.write']

interface ScopeListProps {
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
  readonly issue: string | undefined
}

export function ScopeList({ chosen, onChange, issue }: ScopeListProps) {
  const roles = useQuery(rolesQuery(useScope())).data ?? []
  const all = roles.find((role) => role.name === 'owner')?.abilities ?? chosen
  const offered = all.filter((each) => !notForKeys.some((never) => each.startsWith(never)))
  const reads = offered.filter((each) => each.endsWith('.read'))
  return (
    <FieldGroup id="key-scopes" label="Scopes" issue={issue}>
      <div className="tick-do">
        <Button variant="ghost" onClick={() => onChange(reads)}>
          Only reading
        </Button>
        <Button variant="ghost" onClick={() => onChange([])}>
          None
        </Button>
      </div>
      <div className="tick-list" data-columns>
        {offered.map((ability) => (
          <label key={ability}>
            <input
              type="checkbox"
              checked={chosen.includes(ability)}
              onChange={(event) =>
                onChange(event.target.checked ? [...chosen, ability] : chosen.filter((each) => each !== ability))
              }
            />
            <code>{ability}</code>
          </label>
        ))}
      </div>
    </FieldGroup>
  )
}
