import { useScope } from '../../api/scope.tsx'
import { Page } from '../../ui/page.tsx'
import { Loading } from '../../ui/states.tsx'
import { AgentTabs } from './agent-tabs.tsx'

export function Activity() {
  const { chosen } = useScope()
  return (
    <Page title="Agents" name={`Activity · ${chosen.name}`} aside={<AgentTabs />} fill>
      <Loading rows={8} />
    </Page>
  )
}
