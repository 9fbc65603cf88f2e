import { getRouteApi } from '@tanstack/react-router'
import { useScope } from '../../api/scope.tsx'
import { Page } from '../../ui/page.tsx'
import { Desk } from '../approvals/desk.tsx'
import { AgentTabs } from './agent-tabs.tsx'

const route = getRouteApi('/inside/agents/approvals')

/** The queue of approvals among the agents' tabs. */
export function AgentApprovals() {
  const { chosen } = useScope()
  return (
    <Page title="Agents" name={`Approvals · ${chosen.name}`} aside={<AgentTabs />} fill>
      <Desk search={route.useSearch()} />
    </Page>
  )
}
