import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { MemberView } from '../../../gateway/protocol/team.ts'
import { Allowed, useMay, useScope } from '../../api/scope.tsx'
import { membersQuery } from '../../api/team-queries.ts'
import { Button } from '../../ui/button.tsx'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { Page, Section } from '../../ui/page.tsx'
import { Loading, ProblemBox } from '../../ui/states.tsx'
import { Invitations } from './invitations.tsx'
import { Invite } from './invite.tsx'
import { Member } from './member.tsx'
import { TeamTabs } from './team-tabs.tsx'
import './team.css'

export function Team() {
  const scope = useScope()
  const may = useMay()
  const [inviting, setInviting] = useState(false)
  useHotkeys(useMemo(() => ({ n: () => setInviting(true) }), []))
  return (
    <Page
      title="Team"
      name={`Team · ${scope.chosen.name}`}
      aside={<TeamTabs />}
      actions={
        <Allowed to="team.write">
          <Button variant="primary" icon="mail" onClick={() => setInviting(true)}>
            Invite
          </Button>
        </Allowed>
      }
    >
      <Members />
      <Invitations />
      {inviting && may('team.write') && <Invite onClose={() => setInviting(false)} />}
    </Page>
  )
}

function Members() {
  const members = useQuery(membersQuery(useScope()))
  return (
    <Section
      title="Members"
      note="Who may sign in to this tenant. A role that is taken away is gone with the next click."
    >
      {members.isPending && <Loading rows={4} label="Loading members" />}
      {members.isError && <ProblemBox error={members.error} onRetry={() => void members.refetch()} />}
      {members.isSuccess && <MemberList members={members.data} />}
    </Section>
  )
}

function MemberList({ members }: { members: readonly MemberView[] }) {
  if (members.length === 0)
    return <p className="quiet">Nobody yet, beside the owner of the gateway. “Invite” makes a link that you pass on.</p>
  return (
    <ul className="people" aria-label="Members">
      {members.map((member) => (
        <Member key={member.id} member={member} />
      ))}
    </ul>
  )
}
