import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { MemberView } from '../../../gateway/protocol/team.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Modal } from '../../ui/modal.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { RolePicker } from './role-picker.tsx'
import { useRoles } from './use-roles.ts'

export function ChangeRoles({ member, onClose }: { member: MemberView; onClose: () => void }) {
  const { api, tenant, operator } = useScope()
  const queries = useQueryClient()
  const roles = useRoles()
  const [chosen, setChosen] = useState<readonly string[]>(member.roles)
  const run = useMutation({
    mutationFn: () => api.team.setRoles(member.id, chosen),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [tenant, 'team'] })
      if (member.id === operator.id) await queries.invalidateQueries({ queryKey: ['me'] })
      notifyDone(`Roles of ${member.name} changed.`)
      onClose()
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <Modal open onOpenChange={onClose} title={`Roles of ${member.name}`}>
      <form onSubmit={submit}>
        <RolePicker roles={roles} chosen={chosen} onChange={setChosen} />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={run.isPending} disabled={chosen.length === 0}>
            Change roles
          </Button>
        </div>
      </form>
    </Modal>
  )
}
