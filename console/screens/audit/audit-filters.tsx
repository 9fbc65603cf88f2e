import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useMemo, useRef } from 'react'
import { apiKeysQuery } from '../../api/queries.ts'
import { useScope } from '../../api/scope.tsx'
import { membersQuery, rolesQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { useHotkeys } from '../../ui/hotkey-context.tsx'

export interface AuditSearch {
  readonly actor?: string
  readonly ability?: string
  readonly from?: string
  readonly to?: string
}

/** The filter is the address: it can be sent to somebody else. */
export function AuditFilters({ search }: { search: AuditSearch }) {
  const navigate = useNavigate()
  const first = useRef<HTMLSelectElement>(null)
  useHotkeys(useMemo(() => ({ '/': () => first.current?.focus() }), []))
  const actors = useActors()
  const abilities = useAbilities()
  const set = (part: AuditSearch) =>
    void navigate({ to: '/audit', search: ({ entry: _, ...old }) => ({ ...old, ...part }), replace: true })
  const filtered = [search.actor, search.ability, search.from, search.to].some((each) => each !== undefined)
  return (
    <div className="list-filter audit-filter">
      <select
        ref={first}
        className="input"
        aria-label="Who"
        value={search.actor ?? ''}
        onChange={(event) => set({ actor: event.target.value || undefined })}
      >
        <option value="">Anybody</option>
        {unknown(
          search.actor,
          actors.map(({ id }) => id),
        )}
        {actors.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <select
        className="input"
        aria-label="What"
        value={search.ability ?? ''}
        onChange={(event) => set({ ability: event.target.value || undefined })}
      >
        <option value="">Anything</option>
        {unknown(search.ability, abilities)}
        {abilities.map((ability) => (
          <option key={ability}>{ability}</option>
        ))}
      </select>
      <label>
        from
        <input
          type="date"
          className="input"
          value={search.from ?? ''}
          onChange={(event) => set({ from: event.target.value || undefined })}
        />
      </label>
      <label>
        to
        <input
          type="date"
          className="input"
          value={search.to ?? ''}
          onChange={(event) => set({ to: event.target.value || undefined })}
        />
      </label>
      {filtered && (
        <Button
          variant="ghost"
          icon="close"
          onClick={() => set({ actor: undefined, ability: undefined, from: undefined, to: undefined })}
        >
          Clear
        </Button>
      )}
    </div>
  )
}

/** A value of the address that no list has stays visible. */
function unknown(value: string | undefined, known: readonly string[]) {
  return value !== undefined && !known.includes(value) && <option value={value}>{value}</option>
}

function useActors(): readonly { readonly id: string; readonly name: string }[] {
  const scope = useScope()
  const members = useQuery(membersQuery(scope)).data ?? []
  const keys = useQuery(apiKeysQuery(scope)).data?.items ?? []
  return [...members, ...keys.map(({ id, label }) => ({ id, name: `API key “${label}”` }))]
}

function useAbilities(): readonly string[] {
  const roles = useQuery(rolesQuery(useScope())).data
  return [...(roles?.find((role) => role.name === 'owner')?.abilities ?? []), 'auth.sign-in'].toSorted()
}
