import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { MemberView } from '../../../gateway/protocol/team.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { initials } from '../../ui/initials.ts'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Pill } from '../../ui/pill.tsx'
import { Time } from '../../ui/time.tsx'
import { ChangeRoles } from './change-roles.tsx'
import { roleName } from './role-names.ts'

export function Member({ member }: { member: MemberView }) {
  const { operator } = useScope()
  const [changing, setChanging] = useState(false)
  const self = member.id === operator.id
  return (
    <li className="person" data-member={member.id}>
      <span className="avatar" aria-hidden="true">
        {initials(member.name)}
      </span>
      <span className="person-who">
        <strong>{member.name}</strong> {self && <Pill>You</Pill>}
        <small>
          {member.email ?? 'signs in by link'} · since <Time at={member.createdAt} />
        </small>
      </span>
      <span className="person-roles">
        {member.roles.map((role) => (
          <Pill key={role} tone={role === 'owner' ? 'info' : 'neutral'}>
            {roleName(role)}
          </Pill>
        ))}
      </span>
      <span className="person-do">
        <Allowed to="team.write">
          {' '}
          <Button variant="ghost" onClick={() => setChanging(true)} aria-label={`Change roles of ${member.name}`}>
            Change roles
          </Button>
          <Remove member={member} self={self} />
        </Allowed>
      </span>
      {changing && <ChangeRoles member={member} onClose={() => setChanging(false)} />}
    </li>
  )
}

function Remove({ member, self }: { member: MemberView; self: boolean }) {
  const { api, tenant, chosen } = useScope()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const run = useMutation({
    mutationFn: () => api.team.remove(member.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [tenant, 'team'] })
      if (self) await queries.invalidateQueries({ queryKey: ['me'] })
      setAsking(false)
      notifyDone(`${member.name} is no longer in the team.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <>
      <Button variant="ghost" onClick={() => setAsking(true)} aria-label={`Remove ${member.name}`}>
        {self ? 'Leave' : 'Remove'}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={self ? `Leave ${chosen.name}?` : `Remove ${member.name}?`}
        text={
          self
            ? 'You lose this tenant at once. Only somebody of its team can bring you back.'
            : 'Their access to this tenant ends at once. What they did stays in the audit log.'
        }
        action={self ? 'Leave' : 'Remove'}
        danger
        busy={run.isPending}
        onConfirm={() => run.mutate()}
      />
    </>
  )
}
