import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { inWords, issuesOf } from '../../../api/problem.ts'
import { useScope } from '../../../api/scope.tsx'
import { mcpProcessesQuery } from '../../../api/tool-queries.ts'
import { Button } from '../../../ui/button.tsx'
import { RadioCards, SelectField } from '../../../ui/choice-fields.tsx'
import { Modal } from '../../../ui/modal.tsx'
import { notifyDone } from '../../../ui/notify.ts'
import { TextField } from '../../../ui/text-fields.tsx'
import { SecretField } from '../secret-field.tsx'

interface ServerForm {
  readonly name: string
  readonly place: 'url' | 'process'
  readonly url: string
  readonly process: string
  readonly secret: string
}

const empty: ServerForm = { name: '', place: 'url', url: '', process: '', secret: '' }

function useAdding(onClose: () => void) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ name, place, url, process, secret }: ServerForm) =>
      api.mcp.create({
        name: name.trim(),
        ...(place === 'url' ? { url: url.trim() } : { process }),
        ...(place === 'url' && secret !== '' ? { auth: { secret } } : {}),
      }),
    onSuccess: async (server) => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: [tenant, 'mcp-servers'] }),
        queries.invalidateQueries({ queryKey: [tenant, 'tools'] }),
      ])
      if (server.error === null) notifyDone(`${server.name}: ${server.tools.length} tools.`)
      onClose()
    },
  })
}

export function AddServer({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState(empty)
  const set = (part: Partial<ServerForm>) => setForm((old) => ({ ...old, ...part }))
  const add = useAdding(onClose)
  const issues = issuesOf(add.error)
  const issue = (path: string) => issues.find((each) => each.path.startsWith(path))?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    add.mutate(form)
  }
  const place = form.place === 'url' ? form.url : form.process
  return (
    <Modal open onOpenChange={onClose} title="Add an MCP server" description="Its tools are listed at once.">
      <form onSubmit={submit} noValidate>
        <TextField
          id="server-name"
          label="Name"
          hint="Its tools are called <name>__<tool>. Small letters, digits and hyphens."
          value={form.name}
          onChange={(name) => set({ name })}
          maxLength={24}
          mono
          issue={issue('name')}
        />
        <Place form={form} set={set} issue={issue} />
        {add.isError && issues.length === 0 && (
          <p className="form-issue" role="alert">
            {inWords(add.error)}
          </p>
        )}
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            variant="primary"
            busy={add.isPending}
            disabled={form.name.trim() === '' || place.trim() === ''}
          >
            Add server
          </Button>
        </div>
      </form>
    </Modal>
  )
}

interface PlaceProps {
  readonly form: ServerForm
  readonly set: (part: Partial<ServerForm>) => void
  readonly issue: (path: string) => string | undefined
}

function Place({ form, set, issue }: PlaceProps) {
  const processes = useQuery(mcpProcessesQuery(useScope())).data?.items.map(({ name }) => name) ?? []
  return (
    <>
      {processes.length > 0 && (
        <RadioCards
          id="server-place"
          label="Where it is"
          value={form.place}
          onChange={(place) => set({ place, process: form.process || (processes[0] ?? '') })}
          choices={[
            { value: 'url', name: 'At an address', note: 'Streamable HTTP.' },
            { value: 'process', name: 'Beside this gateway', note: 'One that its operator offers.' },
          ]}
        />
      )}
      {form.place === 'url' ? (
        <>
          <TextField
            id="server-url"
            label="Address"
            value={form.url}
            onChange={(url) => set({ url })}
            placeholder="https://mcp.example.com/mcp"
            maxLength={2_000}
            inputMode="url"
            mono
            issue={issue('url')}
          />
          <SecretField
            id="server-secret"
            label="Token (optional)"
            hint="Sent as “Authorization: Bearer …”."
            value={form.secret}
            onChange={(secret) => set({ secret })}
            issue={issue('auth')}
          />
        </>
      ) : (
        <SelectField
          id="server-process"
          label="Server"
          value={form.process}
          choices={processes.map((name) => ({ value: name, name }))}
          onChange={(process) => set({ process })}
          issue={issue('process')}
        />
      )}
    </>
  )
}
