import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { RoleDetail, RoleView } from '../../../gateway/protocol/access.ts'
import { inWords } from '../../api/problem.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { policiesQuery } from '../../api/team-queries.ts'
import { Icon } from '../../ui/icon.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { unknownWord } from '../../ui/words.ts'
import { abilityTable, isPlain, resourceName } from './abilities.ts'

interface MatrixProps {
  readonly role: RoleView
  readonly detail: RoleDetail | undefined
  readonly all: readonly RoleView[]
}

export function AbilityMatrix({ role, detail, all }: MatrixProps) {
  const table = abilityTable(all.find((each) => each.name === 'owner')?.abilities ?? role.abilities)
  return (
    <Section
      title="What it allows"
      note={
        role.builtin ? undefined : 'A tick gives a plain permission. Denials and narrower ones are policies, below.'
      }
    >
      <div className="table-wrap">
        <table className="table matrix">
          <caption className="sr">Abilities of the role</caption>
          <thead>
            <tr>
              <th scope="col">On</th>
              {table.actions.map((action) => (
                <th key={action} scope="col" className="matrix-cell">
                  {unknownWord(action)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.resources.map((resource) => (
              <tr key={resource}>
                <th scope="row">{resourceName(resource)}</th>
                {table.actions.map((action) => (
                  <td key={action} className="matrix-cell">
                    {table.has(resource, action) && <Cell role={role} detail={detail} pair={[resource, action]} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  )
}

interface CellProps {
  readonly role: RoleView
  readonly detail: RoleDetail | undefined
  readonly pair: readonly [resource: string, action: string]
}

function Cell({ role, detail, pair: [resource, action] }: CellProps) {
  const allowed = role.abilities.includes(`${resource}.${action}`)
  const label = `${resourceName(resource)}: ${action}`
  const plain = detail?.policies.find((policy) => isPlain(policy, resource, action))
  const toggle = useToggle(role, [resource, action])
  // What was asked for, at once: a box that goes back until the next paint looks as if nothing had happened.
  const [asked, setAsked] = useState<boolean>()
  const may = useMay()
  if (role.builtin)
    return allowed ? (
      <span className="matrix-yes">
        <Icon name="check" />
        <span className="sr">allowed</span>
      </span>
    ) : (
      <span className="quiet">
        <span aria-hidden="true">–</span>
        <span className="sr">not allowed</span>
      </span>
    )
  // Allowed by a wider policy: taking the plain one away would change nothing.
  const wider = allowed && plain === undefined
  return (
    <input
      type="checkbox"
      aria-label={label}
      title={wider ? `${label}, by a wider policy` : label}
      checked={asked ?? (allowed || plain !== undefined)}
      ref={(box) => {
        // Given, and denied again by another policy.
        if (box !== null) box.indeterminate = plain !== undefined && !allowed && asked === undefined
      }}
      disabled={!may('roles.write') || detail === undefined || wider || asked !== undefined}
      onChange={() => {
        setAsked(plain === undefined)
        toggle.mutate(plain?.id, { onSettled: () => setAsked(undefined) })
      }}
    />
  )
}

/** Gives the plain permission, made for the tenant when it has none yet, or takes it away. */
function useToggle(role: RoleView, [resource, action]: readonly [string, string]) {
  const scope = useScope()
  const { api, tenant } = scope
  const queries = useQueryClient()
  const policies = useQuery({ ...policiesQuery(scope), enabled: !role.builtin })
  return useMutation({
    mutationFn: async (given: string | undefined) => {
      if (given !== undefined) return api.roles.take(role.id, given)
      const known = policies.data?.find((policy) => isPlain(policy, resource, action))
      const policy =
        known ?? (await api.roles.createPolicy({ resource, action, effect: 'allow', priority: 0, description: '' }))
      return api.roles.give(role.id, policy.id)
    },
    onError: (error) => notifyFailed(inWords(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [tenant, 'roles'] }),
  })
}
