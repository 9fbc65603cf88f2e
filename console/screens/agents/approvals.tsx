import { useScope } from '../../api/scope.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty } from '../../ui/states.tsx'
import { AgentTabs } from './agent-tabs.tsx'

/** The queue of what agents ask to be allowed. */
export function Approvals() {
  const { chosen } = useScope()
  return (
    <Page title="Agents" name={`Approvals · ${chosen.name}`} aside={<AgentTabs />} fill>
      <Empty icon="shield" title="Nothing waits for you">
        <p>
          A request appears here when a supervised agent wants to use a tool, or any agent one that its guardrails name
          under “Ask before using”. This gateway does not hold such uses for a decision yet: in writing they are refused
          and the agent says that somebody will see to it; in calls nobody is asked.
        </p>
      </Empty>
    </Page>
  )
}
