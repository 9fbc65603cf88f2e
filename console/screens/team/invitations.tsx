import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { InvitationView } from '../../../gateway/protocol/team.ts'
import { inWords } from '../../api/problem.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { invitationsQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { roleName } from './role-names.ts'

const tones = { open: 'info', accepted: 'good', revoked: 'neutral', expired: 'warn' } as const
const names = { open: 'Open', accepted: 'Accepted', revoked: 'Taken back', expired: 'Expired' } as const

export function Invitations() {
  const invitations = useQuery(invitationsQuery(useScope()))
  return (
    <Section title="Invitations" note="A link works once and for seven days; here it is never shown again.">
      {invitations.isPending && <Loading rows={2} label="Loading invitations" />}
      {invitations.isError && <ProblemBox error={invitations.error} onRetry={() => void invitations.refetch()} />}
      {invitations.isSuccess && invitations.data.length === 0 && (
        <p className="quiet">Nobody is invited. “Invite” makes a link that you pass on.</p>
      )}
      {invitations.isSuccess && invitations.data.length > 0 && (
        <ul className="people" aria-label="Invitations">
          {invitations.data.map((invitation) => (
            <Invitation key={invitation.id} invitation={invitation} />
          ))}
        </ul>
      )}
    </Section>
  )
}

function Invitation({ invitation }: { invitation: InvitationView }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const may = useMay()
  const revoke = useMutation({
    mutationFn: () => api.team.revokeInvitation(invitation.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [tenant, 'team', 'invitations'] })
      notifyDone(`The link for ${invitation.email} no longer works.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  const open = invitation.status === 'open'
  return (
    <li className="person" data-invitation={invitation.id} data-status={invitation.status}>
      <span className="avatar" aria-hidden="true">
        <Icon name="mail" size={14} />
      </span>
      <span className="person-who">
        <strong>{invitation.email}</strong> <Pill tone={tones[invitation.status]}>{names[invitation.status]}</Pill>
        <small>
          by {invitation.invitedBy} <Time at={invitation.createdAt} />
        </small>
      </span>
      <span className="person-roles">
        {invitation.roles.map((role) => (
          <Pill key={role}>{roleName(role)}</Pill>
        ))}
      </span>
      <span className="person-do">
        {open && may('team.write') && (
          <Button
            variant="ghost"
            busy={revoke.isPending}
            onClick={() => revoke.mutate()}
            aria-label={`Take back the invitation of ${invitation.email}`}
          >
            Take back
          </Button>
        )}
      </span>
    </li>
  )
}
