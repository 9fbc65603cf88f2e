import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { NewInvitationView } from '../../../gateway/protocol/team.ts'
import { inWords, issuesOf } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { absolute } from '../../ui/format.ts'
import { Modal } from '../../ui/modal.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { TextField } from '../../ui/text-fields.tsx'
import { RolePicker } from './role-picker.tsx'
import { useRoles } from './use-roles.ts'

export function Invite({ onClose }: { onClose: () => void }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const roles = useRoles()
  const [email, setEmail] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>(['operator'])
  const run = useMutation({
    mutationFn: () => api.team.invite(email.trim(), chosen),
    onSuccess: () => void queries.invalidateQueries({ queryKey: [tenant, 'team', 'invitations'] }),
    onError: (error) => {
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  if (run.isSuccess) return <FreshInvitation invitation={run.data} onClose={onClose} />
  const issue = (path: string) => issuesOf(run.error).find((each) => each.path.startsWith(path))?.message
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  return (
    <Modal open onOpenChange={onClose} title="Invite to the team">
      <form onSubmit={submit}>
        <TextField
          id="invite-email"
          label="E-mail"
          hint="You pass the link on yourself: nothing is mailed."
          type="email"
          value={email}
          onChange={setEmail}
          required
          maxLength={254}
          issue={issue('email')}
        />
        <RolePicker roles={roles} chosen={chosen} onChange={setChosen} issue={issue('roles')} />
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={run.isPending} disabled={chosen.length === 0}>
            Make a link
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function FreshInvitation({ invitation, onClose }: { invitation: NewInvitationView; onClose: () => void }) {
  return (
    <Modal
      open
      onOpenChange={onClose}
      title={`Link for ${invitation.email}`}
      description={`Copy it now: it is not shown again. It works once, until ${absolute(invitation.expiresAt)}.`}
      sticky
    >
      <code className="secret" data-secret>
        {invitation.link}
      </code>
      <div className="modal-actions">
        <CopyButton text={invitation.link} label="Copy link" />
        <Button variant="primary" onClick={onClose}>
          I have passed it on
        </Button>
      </div>
    </Modal>
  )
}
