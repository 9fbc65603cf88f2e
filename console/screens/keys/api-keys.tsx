import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ApiKeyView } from '../../../gateway/protocol/rest.ts'
import { agentsQuery } from '../../api/agent-queries.ts'
import type { NewApiKey } from '../../api/client.ts'
import { inWords, issuesOf } from '../../api/problem.ts'
import { apiKeysQuery } from '../../api/queries.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { absolute } from '../../ui/format.ts'
import { Modal } from '../../ui/modal.tsx'
import { notifyFailed } from '../../ui/notify.ts'
import { useNow } from '../../ui/now.ts'
import { Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { ApiKeyForm } from './api-key-form.tsx'
import { EditApiKey } from './edit-api-key.tsx'
import { type KeyForm, newKeyForm, wishOf } from './key-rights.ts'
import { RevokeKey } from './revoke-key.tsx'

export function ApiKeys() {
  const scope = useScope()
  const keys = useQuery(apiKeysQuery(scope))
  const queries = useQueryClient()
  const [adding, setAdding] = useState(false)
  const [fresh, setFresh] = useState<NewApiKey>()
  const create = useMutation({
    mutationFn: (form: KeyForm) => scope.api.createApiKey(wishOf(form)),
    onSuccess: (key) => {
      setAdding(false)
      setFresh(key)
      void queries.invalidateQueries({ queryKey: [scope.tenant, 'api-keys'] })
    },
    onError: (error) => {
      if (issuesOf(error).length === 0) notifyFailed(inWords(error))
    },
  })
  return (
    <Section
      title="API keys"
      note="Secret: for your own servers, never for a browser. Shown once, when created."
      actions={
        <Allowed to="keys.write">
          <Button icon="plus" onClick={() => setAdding(true)}>
            New API key
          </Button>
        </Allowed>
      }
    >
      {keys.isPending && <Loading rows={2} />}
      {keys.isError && <ProblemBox error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.isSuccess && keys.data.items.length === 0 && (
        <Empty icon="key" title="No API keys">
          <p>Create one to use the gateway from your own backend or from a stock OpenAI client.</p>
        </Empty>
      )}
      {keys.isSuccess && keys.data.items.length > 0 && (
        <ul className="keys">
          {keys.data.items.map((key) => (
            <ApiKey key={key.id} apiKey={key} />
          ))}
        </ul>
      )}
      {adding && (
        <ApiKeyForm
          title="New API key"
          action="Create"
          start={newKeyForm}
          busy={create.isPending}
          error={create.error}
          onClose={() => setAdding(false)}
          onSubmit={create.mutate}
        />
      )}
      {fresh !== undefined && <FreshKey apiKey={fresh} onClose={() => setFresh(undefined)} />}
    </Section>
  )
}

function FreshKey({ apiKey, onClose }: { apiKey: NewApiKey; onClose: () => void }) {
  return (
    <Modal
      open
      onOpenChange={onClose}
      title={`API key “${apiKey.label}”`}
      description="Copy it now. It is stored as a hash only and cannot be shown again."
      sticky
    >
      <code className="secret" data-secret>
        {apiKey.key}
      </code>
      <div className="modal-actions">
        <CopyButton text={apiKey.key} label="Copy key" />
        <Button variant="primary" onClick={onClose}>
          I have stored it
        </Button>
      </div>
    </Modal>
  )
}

function ApiKey({ apiKey }: { apiKey: ApiKeyView }) {
  const { api } = useScope()
  const active = apiKey.status === 'active'
  const nowMs = useNow(15_000)
  const expired = apiKey.expiresAt !== null && Date.parse(apiKey.expiresAt) <= nowMs
  return (
    <li className="key" data-status={apiKey.status} data-key-id={apiKey.id}>
      <div className="key-line">
        <strong>{apiKey.label}</strong>
        {!active && <Pill>Revoked</Pill>}
        {active && expired && <Pill tone="bad">Expired</Pill>}
        <span className="quiet">
          created <Time at={apiKey.createdAt} /> ·{' '}
          {apiKey.lastUsedAt === null ? (
            'never used'
          ) : (
            <>
              used <Time at={apiKey.lastUsedAt} />
            </>
          )}
        </span>
        <span className="key-end">
          <code>{apiKey.prefix}…</code>
          {active && (
            <Allowed to="keys.write">
              <EditApiKey apiKey={apiKey} />
            </Allowed>
          )}
          {active && (
            <RevokeKey
              label={apiKey.label}
              list="api-keys"
              text="Servers that use this key are refused within seconds. This cannot be undone."
              revoke={() => api.revokeApiKey(apiKey.id)}
            />
          )}
        </span>
      </div>
      {active && <Reach apiKey={apiKey} />}
    </li>
  )
}

/** What the key may do, on what, and until when. */
function Reach({ apiKey }: { apiKey: ApiKeyView }) {
  const agents = useQuery(agentsQuery(useScope())).data
  const names = apiKey.agentIds.map((id) => agents?.find((agent) => agent.id === id)?.name ?? id)
  return (
    <details>
      <summary>
        {apiKey.role === null ? `${apiKey.scopes.length} scopes` : `role ${apiKey.role}`}
        {names.length > 0 && ` · only ${names.join(', ')}`}
        {apiKey.expiresAt !== null && ` · until ${absolute(apiKey.expiresAt)}`}
      </summary>
      <ul className="scopes" aria-label={`Scopes of ${apiKey.label}`}>
        {apiKey.scopes.map((scope) => (
          <li key={scope}>
            <code>{scope}</code>
          </li>
        ))}
      </ul>
    </details>
  )
}
