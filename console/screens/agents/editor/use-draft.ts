// The draft of one agent while somebody edits it: what is typed, what is saved, and what the gateway says about it.

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'
import type { AgentConfigView, AgentDetail, AgentSubtype } from '../../../../gateway/protocol/agents.ts'
import { type FieldIssue, inWords, isConflict, issuesOf } from '../../../api/problem.ts'
import { useScope } from '../../../api/scope.tsx'
import { notifyDone, notifyFailed } from '../../../ui/notify.ts'

export interface Edited {
  readonly name: string
  readonly subtype: AgentSubtype
  readonly config: AgentConfigView
}

type Config = AgentConfigView

export interface Draft extends Edited {
  set<K extends keyof AgentConfigView>(field: K, value: AgentConfigView[K]): void
  /** What the control of a field needs. */
  field<K extends keyof Config>(name: K): FieldBinding<K>
  rename(name: string): void
  reclassify(subtype: AgentSubtype): void
  /** What is wrong with a field: `faqEntries`, or `faqEntries.2.answer`. With `inside` also what is wrong below it. */
  issue(path: string, inside?: boolean): string | undefined
  readonly issues: readonly FieldIssue[]
  readonly dirty: boolean
  readonly saving: boolean
  /** Somebody else saved this draft since it was read. */
  readonly conflict: boolean
  save(): Promise<boolean>
  /** Forgets what was typed. */
  discard(): void
  /** After a conflict: saves what is here over what is there. */
  overwrite(): Promise<boolean>
}

export interface FieldBinding<K extends keyof Config> {
  readonly id: K
  readonly value: Config[K]
  readonly onChange: (value: Config[K]) => void
  readonly issue: string | undefined
}

interface State {
  readonly saved: Edited
  readonly edited: Edited
  readonly basedOn: number
}

export function useDraft(agent: AgentDetail): Draft {
  const [state, setState] = useState<State>(() => stateOf(agent))
  const dirty = useMemo(() => !same(state.saved, state.edited), [state])
  // Saved elsewhere, or by this very form: taken over as long as nothing is typed here.
  if (!dirty && (state.basedOn !== agent.draftVersion || !same(state.saved, editedOf(agent)))) setState(stateOf(agent))
  const saving = useSave(agent.id, state, setState)
  const change = useCallback(
    (part: Partial<Edited>) => setState((old) => ({ ...old, edited: { ...old.edited, ...part } })),
    [],
  )
  const set = useCallback<Draft['set']>(
    (field, value) =>
      setState((old) => ({ ...old, edited: { ...old.edited, config: { ...old.edited.config, [field]: value } } })),
    [],
  )
  const issues = useMemo(() => issuesOf(saving.error).map(withoutPrefix), [saving.error])
  const issue: Draft['issue'] = (path, inside = false) => issues.find((each) => fits(each.path, path, inside))?.message
  return {
    ...state.edited,
    set,
    field: (name) => ({
      id: name,
      value: state.edited.config[name],
      onChange: (value) => set(name, value),
      issue: issue(name, true),
    }),
    rename: (name) => change({ name }),
    reclassify: (subtype) => change({ subtype }),
    issue,
    issues,
    dirty,
    saving: saving.busy,
    conflict: isConflict(saving.error),
    save: () => saving.save(state.basedOn),
    discard: () => {
      saving.forget()
      setState(stateOf(agent))
    },
    overwrite: () => saving.save(undefined),
  }
}

function useSave(id: string, state: State, setState: (change: (old: State) => State) => void) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const run = useMutation({
    mutationFn: async ({ edited, saved, basedOn }: { edited: Edited; saved: Edited; basedOn: number | undefined }) => {
      const { name, subtype, config } = edited
      if (name !== saved.name || subtype !== saved.subtype) await api.agents.change(id, { name, subtype })
      return api.agents.saveDraft(id, config, basedOn)
    },
    onSuccess: (detail, { edited }) => {
      // What was typed while the call ran stays typed.
      setState((old) => (same(old.edited, edited) ? stateOf(detail) : { ...stateOf(detail), edited: old.edited }))
      queries.setQueryData([tenant, 'agents', id], detail)
      void queries.invalidateQueries({ queryKey: [tenant, 'agents'] })
      notifyDone('Draft saved.')
    },
    onError: (error) => {
      if (isConflict(error)) void queries.invalidateQueries({ queryKey: [tenant, 'agents', id], exact: true })
      else if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  return {
    error: run.error,
    busy: run.isPending,
    forget: run.reset,
    save: (basedOn: number | undefined) =>
      run.mutateAsync({ edited: state.edited, saved: state.saved, basedOn }).then(
        () => true,
        () => false,
      ),
  }
}

function stateOf(agent: AgentDetail): State {
  const edited = editedOf(agent)
  return { saved: edited, edited, basedOn: agent.draftVersion }
}

function editedOf(agent: AgentDetail): Edited {
  return { name: agent.name, subtype: agent.subtype, config: agent.draft }
}

function same(one: Edited, other: Edited): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}

/** The draft is sent as `config`. */
function withoutPrefix(issue: FieldIssue): FieldIssue {
  return { path: issue.path.replace(/^config\.?/, ''), message: issue.message }
}

function fits(issuePath: string, path: string, inside: boolean): boolean {
  return issuePath === path || (inside && issuePath.startsWith(`${path}.`))
}
