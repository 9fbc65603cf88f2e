import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { ToolPermissionView } from '../../../../gateway/protocol/agents.ts'
import { useMay, useScope } from '../../../api/scope.tsx'
import { rolesQuery } from '../../../api/team-queries.ts'
import { Button } from '../../../ui/button.tsx'
import { RadioCards, SelectField, SwitchField, TokenField } from '../../../ui/choice-fields.tsx'
import { Modal } from '../../../ui/modal.tsx'
import type { Draft } from './use-draft.ts'

const usual: Omit<ToolPermissionView, 'tool'> = {
  ...{ roles: [], identity: 'configured', role: null, actions: null, deniedFields: [] },
}

/** One line of what it says, and the form behind it. */
export function ToolPermission({ tool, draft }: { tool: string; draft: Draft }) {
  const permissions = draft.config.toolPermissions
  const known = permissions.find((each) => each.tool === tool)
  const [editing, setEditing] = useState(false)
  const change = (next: ToolPermissionView | undefined) => {
    const others = permissions.filter((each) => each.tool !== tool)
    draft.set('toolPermissions', next === undefined ? others : [...others, next])
  }
  const at = permissions.findIndex((each) => each.tool === tool)
  const issue = at < 0 ? undefined : draft.issue(`toolPermissions.${at}`, true)
  return (
    <>
      <Button
        variant="ghost"
        className="permission-button"
        aria-label={`Permission of ${tool === '*' ? 'every other tool' : tool}: ${summaryOf(known, tool)}`}
        onClick={() => setEditing(true)}
      >
        {summaryOf(known, tool)}
      </Button>
      {issue !== undefined && <p className="form-issue">{issue}</p>}
      {editing && (
        <PermissionForm
          permission={known ?? { tool, ...usual }}
          isKnown={known !== undefined}
          onChange={change}
          onClose={() => setEditing(false)}
        />
      )}
    </>
  )
}

function summaryOf(permission: ToolPermissionView | undefined, tool: string): string {
  if (permission === undefined) return tool === '*' ? 'the agent itself' : 'as every other tool'
  const { identity, role, roles, actions, deniedFields } = permission
  const rights = { inherit: 'whoever talks to it', system: 'the tenant', configured: role ?? 'the agent itself' }
  return [
    rights[identity],
    ...(roles.length > 0 ? [`only for ${roles.join(', ')}`] : []),
    ...(actions === null ? [] : [`${actions.length} actions`]),
    ...(deniedFields.length > 0 ? [`without ${deniedFields.join(', ')}`] : []),
  ].join(' · ')
}

interface PermissionFormProps {
  readonly permission: ToolPermissionView
  readonly isKnown: boolean
  readonly onChange: (permission: ToolPermissionView | undefined) => void
  readonly onClose: () => void
}

const identities = [
  { value: 'configured', name: 'The agent', note: 'What an agent may do by itself, or a role that you name.' },
  { value: 'inherit', name: 'Whoever talks to it', note: 'Their rights, no more.' },
  { value: 'system', name: 'The tenant', note: 'Everything. For tools that you trust with it.' },
] as const

function PermissionForm({ permission, isKnown, onChange, onClose }: PermissionFormProps) {
  const roles = useQuery({ ...rolesQuery(useScope()), enabled: useMay()('roles.read') }).data ?? []
  const names = roles.map((role) => role.name)
  const set = (part: Partial<ToolPermissionView>) => onChange({ ...permission, ...part })
  const { tool, identity, role } = permission
  return (
    <Modal
      open
      onOpenChange={onClose}
      title={tool === '*' ? 'Permission of every other tool' : `Permission of ${tool}`}
      description="Part of the draft: it counts once the draft is deployed."
      wide
    >
      <RadioCards
        id="permission-identity"
        label="With whose rights it acts"
        value={identity}
        choices={identities}
        onChange={(next) => set({ identity: next, role: null })}
      />
      {identity === 'configured' && (
        <SelectField
          id="permission-role"
          label="Role"
          value={role ?? ''}
          choices={[{ value: '', name: 'An agent’s own rights' }, ...names.map((name) => ({ value: name, name }))]}
          onChange={(next) => set({ role: next === '' ? null : next })}
        />
      )}
      <TokenField
        id="permission-roles"
        label="Who may have it called"
        hint="Roles of who talks to the agent. None: anybody."
        noun="role"
        value={permission.roles}
        onChange={(next) => set({ roles: next })}
        suggestions={names}
      />
      <Limits
        permission={permission}
        set={set}
        abilities={roles.find((each) => each.name === 'owner')?.abilities ?? []}
      />
      <div className="modal-actions">
        {isKnown && (
          <Button
            onClick={() => {
              onChange(undefined)
              onClose()
            }}
          >
            Forget this permission
          </Button>
        )}
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Modal>
  )
}

interface LimitsProps {
  readonly permission: ToolPermissionView
  readonly set: (part: Partial<ToolPermissionView>) => void
  readonly abilities: readonly string[]
}

/** What of the rights counts, and what is never told. */
function Limits({ permission: { actions, deniedFields }, set, abilities }: LimitsProps) {
  return (
    <>
      <SwitchField
        id="permission-all"
        label="All actions of these rights"
        checked={actions === null}
        onChange={(all) => set({ actions: all ? null : [] })}
      />
      {actions !== null && (
        <TokenField
          id="permission-actions"
          label="Only these actions"
          noun="action"
          value={actions}
          onChange={(next) => set({ actions: next })}
          suggestions={abilities}
        />
      )}
      <TokenField
        id="permission-fields"
        label="Fields it never tells"
        hint="Names or paths, such as phone or data.owner.phone. They are taken out of what it answers."
        noun="field"
        value={deniedFields}
        onChange={(next) => set({ deniedFields: next })}
      />
    </>
  )
}
