import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { inWords, issuesOf } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Modal } from '../../ui/modal.tsx'
import { TextField } from '../../ui/text-fields.tsx'

/** A page of the web as a source. Private addresses are refused by the gateway, and say so here. */
export function AddPage({ onClose }: { onClose: () => void }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [url, setUrl] = useState('')
  const [name, setName] = useState('')
  const add = useMutation({
    mutationFn: () => api.knowledge.addPage(url.trim(), name.trim()),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [tenant, 'knowledge'] })
      onClose()
    },
  })
  const issues = issuesOf(add.error)
  const issue = (path: string) => issues.find((each) => each.path === path)?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    add.mutate()
  }
  return (
    <Modal
      open
      onOpenChange={onClose}
      title="Add a page of the web"
      description="It is fetched now, and again when you ask for it."
    >
      <form onSubmit={submit} noValidate>
        <TextField
          id="page-url"
          label="Address"
          value={url}
          onChange={setUrl}
          placeholder="https://example.com/returns"
          maxLength={2_000}
          inputMode="url"
          mono
          required
          issue={issue('url') ?? (add.isError && issues.length === 0 ? inWords(add.error) : undefined)}
        />
        <TextField
          id="page-name"
          label="Name (optional)"
          hint="Citations call it so. Empty: the address."
          value={name}
          onChange={setName}
          maxLength={200}
          issue={issue('name')}
        />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={add.isPending} disabled={url.trim() === ''}>
            Add page
          </Button>
        </div>
      </form>
    </Modal>
  )
}
