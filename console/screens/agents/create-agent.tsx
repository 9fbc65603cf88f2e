import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { AgentSubtype, AgentView } from '../../../gateway/protocol/agents.ts'
import { inWords, issuesOf } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { RadioCards } from '../../ui/choice-fields.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { TextField } from '../../ui/text-fields.tsx'
import { slugOf } from './slug.ts'
import { subtypes } from './words.ts'

/** `original`: the new agent begins with its draft. */
export function CreateAgent({ onClose, original }: { onClose: () => void; original?: AgentView }) {
  const scope = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState(original === undefined ? '' : `Copy of ${original.name}`)
  const [ownSlug, setSlug] = useState<string>()
  const [subtype, setSubtype] = useState<AgentSubtype>(original?.subtype ?? 'customer_support')
  const slug = ownSlug ?? slugOf(name)
  const create = useMutation({
    mutationFn: async () => {
      const from = original === undefined ? undefined : await scope.api.agents.detail(original.id)
      return scope.api.agents.create({ name: name.trim(), slug, subtype, ...(from ? { config: from.draft } : {}) })
    },
    onSuccess: async (agent) => {
      void queries.invalidateQueries({ queryKey: [scope.tenant, 'agents'] })
      onClose()
      await navigate({ to: '/agents/$agentId', params: { agentId: agent.id } })
    },
    onError: (error) => {
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  const issue = (path: string) => issuesOf(create.error).find((each) => each.path === path)?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate()
  }
  return (
    <Modal open onOpenChange={onClose} title={original === undefined ? 'New agent' : `Duplicate ${original.name}`}>
      <form onSubmit={submit}>
        <TextField
          id="new-name"
          label="Name"
          hint="For you and your team; what it calls itself is set in its identity."
          value={name}
          onChange={setName}
          placeholder="Front desk"
          maxLength={120}
          required
          issue={issue('name')}
        />
        <TextField
          id="new-slug"
          label="Slug"
          hint="How the API and the widget address it. Stays as it is."
          value={slug}
          onChange={setSlug}
          maxLength={40}
          required
          mono
          issue={issue('slug')}
        />
        <RadioCards
          id="new-subtype"
          label="Kind"
          value={subtype}
          choices={subtypes}
          onChange={setSubtype}
          issue={issue('subtype')}
        />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={create.isPending}>
            {original === undefined ? 'Create agent' : 'Duplicate'}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
