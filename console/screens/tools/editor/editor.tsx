// Writing a tool over HTTP: the form beside its trial and the assistant that drafts it.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { inWords, isMissing, issuesOf } from '../../../api/problem.ts'
import { Allowed, useScope } from '../../../api/scope.tsx'
import { toolQuery, toolsQuery } from '../../../api/tool-queries.ts'
import { Button } from '../../../ui/button.tsx'
import { Inspector } from '../../../ui/inspector.tsx'
import { LeaveGuard } from '../../../ui/leave-guard.tsx'
import { folded, useMedia } from '../../../ui/media.ts'
import { notifyDone } from '../../../ui/notify.ts'
import { Page } from '../../../ui/page.tsx'
import { Empty, Loading, ProblemBox } from '../../../ui/states.tsx'
import { ToolsTabs } from '../tools-tabs.tsx'
import { AboutFields, LimitFields } from './about-fields.tsx'
import { DraftPane } from './draft-pane.tsx'
import { ParametersField } from './parameters-field.tsx'
import { type PartProps, RequestFields, ResponseFields } from './request-fields.tsx'
import { emptyForm, formOf, type ToolForm, toolOf, undescribed } from './tool-form.ts'
import { TryPane } from './try-pane.tsx'
import './editor.css'

export function NewTool() {
  return <Editor start={emptyForm} isNew />
}

const route = getRouteApi('/inside/tools/$name/edit')

export function EditTool() {
  const { name } = route.useParams()
  const scope = useScope()
  const tool = useQuery(toolQuery(scope, name))
  if (tool.isSuccess && tool.data.own && tool.data.kind === 'http')
    return <Editor key={name} start={formOf(tool.data)} isNew={false} />
  return (
    <Page title="Tools" name={`${name} · ${scope.chosen.name}`} aside={<ToolsTabs />}>
      {tool.isPending && <Loading rows={8} label="Loading the tool" />}
      {tool.isError && !isMissing(tool.error) && <ProblemBox error={tool.error} onRetry={() => void tool.refetch()} />}
      {(tool.isSuccess || (tool.isError && isMissing(tool.error))) && (
        <Empty icon="tool" title="There is no such HTTP tool">
          <p>
            <Link to="/tools">Show all tools</Link>
          </p>
        </Empty>
      )}
    </Page>
  )
}

function Editor({ start, isNew }: { start: ToolForm; isNew: boolean }) {
  const scope = useScope()
  const { chosen } = scope
  const [form, setForm] = useState(start)
  const tools = useQuery(toolsQuery(scope)).data
  const taken = isNew && tools?.some((tool) => tool.name === form.name.trim()) === true
  const saving = useSave(form)
  const narrow = useMedia(folded)
  const set = (part: Partial<ToolForm>) => setForm((old) => ({ ...old, ...part }))
  const dirty = form !== start && !saving.isSuccess
  const fields = (
    <Fields
      form={form}
      set={set}
      isNew={isNew}
      taken={taken}
      error={saving.error}
      onSubmit={(event) => submit(event, saving.mutate)}
    />
  )
  const panes = [
    { id: 'try', name: 'Try it', content: <TryPane form={form} />, keep: true },
    { id: 'draft', name: 'Draft it', content: <DraftPane isNew={isNew} onDraft={set} />, keep: true },
  ]
  return (
    <Page
      title={isNew ? 'New HTTP tool' : <code>{form.name}</code>}
      name={`${isNew ? 'New HTTP tool' : form.name} · ${chosen.name}`}
      aside={<ToolsTabs />}
      actions={
        <Allowed to="tools.write">
          <Button type="submit" form="tool-form" variant="primary" busy={saving.isPending}>
            Save tool
          </Button>
        </Allowed>
      }
      fill
    >
      {narrow ? (
        <Inspector label="Tool" panes={[{ id: 'form', name: 'Form', content: fields, keep: true }, ...panes]} />
      ) : (
        <div className="tool-columns">
          {fields}
          <aside aria-label="Try and draft">
            <Inspector label="Try and draft" panes={isNew ? panes.toReversed() : panes} />
          </aside>
        </div>
      )}
      <LeaveGuard dirty={dirty} />
    </Page>
  )
}

interface FieldsProps extends Omit<PartProps, 'issue'> {
  readonly isNew: boolean
  /** Another tool has its name. */
  readonly taken: boolean
  readonly error: unknown
  readonly onSubmit: (event: FormEvent<HTMLFormElement>) => void
}

function Fields({ form, set, isNew, taken, error, onSubmit }: FieldsProps) {
  const issues = issuesOf(error)
  const told = error === null ? '' : inWords(error)
  // Rules that look at several fields tell theirs in front of the sentence.
  const issue = (path: string) =>
    issues.find((each) => each.path === path || each.path.startsWith(`${path}.`))?.message ??
    (told.startsWith(`${path}: `) ? told.slice(path.length + 2) : undefined)
  const part = { form, set, issue }
  return (
    <form id="tool-form" onSubmit={onSubmit} noValidate aria-label="Tool">
      {told !== '' && (
        <div className="problem" role="alert">
          <p>{told}</p>
        </div>
      )}
      <h2>What it is</h2>
      <AboutFields {...part} isNew={isNew} taken={taken} />
      <h2>Request</h2>
      <RequestFields {...part} />
      <ParametersField
        value={form.parameters}
        onChange={(parameters) => set({ parameters })}
        missing={undescribed(form)}
        issue={issue('parameters')}
      />
      <h2>Answer</h2>
      <ResponseFields {...part} />
      <h2>Limits</h2>
      <LimitFields {...part} />
    </form>
  )
}

function submit(event: FormEvent<HTMLFormElement>, save: () => void): void {
  event.preventDefault()
  const wrong = event.currentTarget.querySelector<HTMLElement>(
    'input:invalid, textarea:invalid, select:invalid, #tool-name[aria-invalid="true"]',
  )
  if (wrong !== null) wrong.focus()
  else save()
}

function useSave(form: ToolForm) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const name = form.name.trim()
  return useMutation({
    mutationFn: () => api.tools.put(name, toolOf(form)),
    onSuccess: async (tool) => {
      queries.setQueryData([tenant, 'tools', 'one', tool.name], tool)
      await queries.invalidateQueries({ queryKey: [tenant, 'tools'] })
      notifyDone(`${tool.name} is saved. Agents that have its name use it with their next call.`)
      await navigate({ to: '/tools/$name', params: { name: tool.name }, ignoreBlocker: true })
    },
  })
}
