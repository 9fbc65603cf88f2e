import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { AgentView, TenantView } from '../../../gateway/protocol/rest.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { CopyId } from '../../ui/copy.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'

export function TenantCard({ tenant }: { tenant: TenantView }) {
  return (
    <Section
      title={tenant.name}
      actions={
        <Allowed to="tenant.write">
          <StatusSwitch tenant={tenant} />
        </Allowed>
      }
    >
      <dl className="tenant-facts">
        <div>
          <dt>Status</dt>
          <dd>
            <Pill tone={tenant.status === 'active' ? 'good' : 'bad'}>
              {tenant.status === 'active' ? 'Active' : 'Suspended'}
            </Pill>
          </dd>
        </div>
        <div>
          <dt>Slug</dt>
          <dd>
            <code>{tenant.slug}</code>
          </dd>
        </div>
        <div>
          <dt>Plan</dt>
          <dd className="capital">{tenant.plan}</dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd>
            <CopyId id={tenant.id} name="tenant id" />
          </dd>
        </div>
        <div className="tenant-origins">
          <dt>Allowed origins</dt>
          <dd>
            {tenant.origins.length === 0 && <span className="quiet">none: no website may embed the widget</span>}
            {tenant.origins.map((origin) => (
              <code key={origin}>{origin}</code>
            ))}
          </dd>
        </div>
      </dl>
    </Section>
  )
}

function StatusSwitch({ tenant }: { tenant: TenantView }) {
  const scope = useScope()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const active = tenant.status === 'active'
  const change = useMutation({
    mutationFn: (status: TenantView['status']) => scope.api.setStatus(status),
    onSuccess: async (_, status) => {
      await queries.invalidateQueries({ queryKey: [scope.tenant, 'tenant'] })
      setAsking(false)
      notifyDone(status === 'active' ? `${tenant.name} is active again.` : `${tenant.name} is suspended.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <>
      {active ? (
        <Button variant="danger" onClick={() => setAsking(true)}>
          Suspend
        </Button>
      ) : (
        <Button variant="primary" busy={change.isPending} onClick={() => change.mutate('active')}>
          Activate
        </Button>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Suspend ${tenant.name}?`}
        text="Running sessions are ended, and new ones are refused on every channel until you activate the tenant again."
        action="Suspend"
        danger
        busy={change.isPending}
        onConfirm={() => change.mutate('suspended')}
      />
    </>
  )
}

const agentTones = { draft: 'neutral', active: 'good', paused: 'warn', archived: 'neutral' } as const

export function Agents({ agents }: { agents: readonly AgentView[] }) {
  return (
    <Section title="Agents" note={agents.length === 0 ? 'This tenant has no agent yet.' : undefined}>
      {agents.length > 0 && (
        <div className="table-wrap">
          <table className="table">
            <caption className="sr">Agents</caption>
            <thead>
              <tr>
                <th scope="col">Agent</th>
                <th scope="col">Status</th>
                <th scope="col">Engine</th>
                <th scope="col" className="wide-only">
                  Voice
                </th>
                <th scope="col" className="wide-only">
                  Tools
                </th>
              </tr>
            </thead>
            <tbody>
              {agents.map((agent) => (
                <tr key={agent.id}>
                  <td>
                    {agent.name} <code className="quiet">{agent.slug}</code>
                  </td>
                  <td>
                    <Pill tone={agentTones[agent.status]}>
                      <span className="capital">{agent.status}</span>
                    </Pill>
                  </td>
                  <td>{agent.engine}</td>
                  <td className="wide-only">{agent.voice}</td>
                  <td className="wide-only quiet">{agent.tools.length === 0 ? 'none' : agent.tools.join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  )
}
