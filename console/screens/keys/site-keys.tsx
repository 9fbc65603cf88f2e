import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { AgentView, SiteKeyView } from '../../../gateway/protocol/rest.ts'
import { inWords } from '../../api/problem.ts'
import { siteKeysQuery } from '../../api/queries.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { embedSnippet } from '../../embed.ts'
import { Button } from '../../ui/button.tsx'
import { CodeBlock, CopyId } from '../../ui/copy.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { KeyForm } from './key-form.tsx'
import { RevokeKey } from './revoke-key.tsx'

export function SiteKeys({ agents }: { agents: readonly AgentView[] }) {
  const scope = useScope()
  const keys = useQuery(siteKeysQuery(scope))
  const queries = useQueryClient()
  const [adding, setAdding] = useState(false)
  const usable = agents.filter((agent) => agent.status !== 'archived')
  const create = useMutation({
    mutationFn: (form: { label: string; agent: string }) => scope.api.createSiteKey(form.label, form.agent),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [scope.tenant, 'site-keys'] })
      setAdding(false)
      notifyDone('Site key created.')
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <Section
      title="Site keys"
      note="Public: they only say which agent a website shows. Websites must be among the allowed origins."
      actions={
        <Allowed to="keys.write">
          <Button icon="plus" onClick={() => setAdding(true)} disabled={usable.length === 0}>
            New site key
          </Button>
        </Allowed>
      }
    >
      {keys.isPending && <Loading rows={2} />}
      {keys.isError && <ProblemBox error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.isSuccess && keys.data.items.length === 0 && (
        <Empty icon="key" title="No site keys">
          <p>A site key puts an agent on a website with one line of HTML.</p>
        </Empty>
      )}
      {keys.isSuccess && keys.data.items.length > 0 && (
        <ul className="keys">
          {keys.data.items.map((key) => (
            <SiteKey key={key.id} siteKey={key} />
          ))}
        </ul>
      )}
      <KeyForm
        open={adding}
        onOpenChange={setAdding}
        title="New site key"
        placeholder="Main website"
        agents={usable}
        busy={create.isPending}
        onSubmit={create.mutate}
      />
    </Section>
  )
}

function SiteKey({ siteKey }: { siteKey: SiteKeyView }) {
  const { api } = useScope()
  const active = siteKey.status === 'active'
  return (
    <li className="key" data-status={siteKey.status} data-key-id={siteKey.id}>
      <div className="key-line">
        <strong>{siteKey.label}</strong>
        {!active && <Pill>Revoked</Pill>}
        <span className="quiet">
          shows {siteKey.agentSlug} · created <Time at={siteKey.createdAt} />
        </span>
        <span className="key-end">
          <CopyId id={siteKey.key} name={`site key ${siteKey.label}`} />
          {active && (
            <RevokeKey
              label={siteKey.label}
              list="site-keys"
              text="Websites that use this key lose their widget at once. This cannot be undone."
              revoke={() => api.revokeSiteKey(siteKey.id)}
            />
          )}
        </span>
      </div>
      {active && (
        <details>
          <summary>Embed snippet</summary>
          <CodeBlock
            code={embedSnippet(window.location.origin, siteKey)}
            label={`embed snippet for ${siteKey.label}`}
          />
        </details>
      )}
    </li>
  )
}
