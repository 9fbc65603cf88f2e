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
          A request appears here when an agent that is supervised wants to use a tool, or one of those that its
          guardrails name under “Ask before using”. This gateway does not hold tools back for a decision yet: until it
          does, a tool that needs approval is not used at all.
        </p>
      </Empty>
    </Page>
  )
}
