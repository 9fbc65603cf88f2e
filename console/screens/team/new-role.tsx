import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { inWords, issuesOf } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { TextField } from '../../ui/text-fields.tsx'

export function NewRole({ onClose }: { onClose: () => void }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const run = useMutation({
    mutationFn: () => api.roles.create({ name: name.trim(), description: description.trim() }),
    onSuccess: async (role) => {
      await queries.invalidateQueries({ queryKey: [tenant, 'roles'] })
      onClose()
      await navigate({ to: '/team/roles', search: (old) => ({ ...old, role: role.id }) })
    },
    onError: (error) => {
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  const issue = (path: string) => issuesOf(run.error).find((each) => each.path === path)?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <Modal open onOpenChange={onClose} title="New role" description="It allows nothing until you say what.">
      <form onSubmit={submit}>
        <TextField
          id="role-name"
          label="Name"
          hint="Lower-case letters, digits and hyphens. It stays as it is."
          value={name}
          onChange={setName}
          placeholder="front-desk"
          maxLength={50}
          required
          mono
          issue={issue('name')}
        />
        <TextField
          id="role-description"
          label="Description"
          value={description}
          onChange={setDescription}
          maxLength={500}
          issue={issue('description')}
        />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={run.isPending}>
            Create role
          </Button>
        </div>
      </form>
    </Modal>
  )
}
