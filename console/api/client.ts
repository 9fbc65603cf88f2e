// The one place that fetches: tenant in the query, CSRF header on changes, every failure an ApiProblem.

import type {
  ApiKeyView,
  CreditsView,
  EntryView,
  OperatorView,
  Page,
  Receipt,
  SessionView,
  SiteKeyView,
  TenantView,
  UsageDay,
} from '../../gateway/protocol/rest.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'
import { accountCalls } from './account-calls.ts'
import { agentCalls } from './agent-calls.ts'
import { approvalCalls } from './approval-calls.ts'
import { auditCalls } from './audit-calls.ts'
import type { Query, TenantCall } from './call.ts'
import { knowledgeCalls } from './knowledge-calls.ts'
import { mcpCalls } from './mcp-calls.ts'
import { problemOf, unreachable } from './problem.ts'
import { roleCalls } from './role-calls.ts'
import { teamCalls } from './team-calls.ts'
import { toolCalls } from './tool-calls.ts'

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface Options {
  readonly query?: Query
  readonly body?: unknown
  /** Sent as it is, in the place of a body. */
  readonly file?: File
  readonly accept?: string
  readonly signal?: AbortSignal
}

/** A fresh API key: the secret is in this answer and in no later one. */
export type NewApiKey = ApiKeyView & { readonly key: string }

/** What a key may do. Neither role nor scopes: what a service usually does. */
export interface KeyWish {
  readonly label: string
  readonly role?: string
  readonly scopes?: readonly string[] | null
  /** Empty: any agent. */
  readonly agentIds?: readonly string[]
  readonly expiresAt?: string | null
}

export type Api = ReturnType<typeof createApi>
export type TenantApi = ReturnType<Api['of']>

export function createApi(fetch: Fetch) {
  // Known once `me` has answered; every change sends it back.
  let csrf: string | undefined

  async function open(method: Method, path: string, options: Options = {}): Promise<Response> {
    const changes = method !== 'GET'
    const headers: Record<string, string> = { accept: options.accept ?? 'application/json' }
    if (changes && csrf !== undefined) headers['x-parley-csrf'] = csrf
    const init: RequestInit = { method, headers, credentials: 'same-origin' }
    if (options.file !== undefined) {
      headers['content-type'] = 'application/octet-stream'
      init.body = options.file
    } else if (changes && method !== 'DELETE') {
      headers['content-type'] = 'application/json'
      init.body = JSON.stringify(options.body ?? {})
    }
    if (options.signal !== undefined) init.signal = options.signal
    const response = await fetch(withQuery(path, options.query ?? {}), init).catch((error: unknown) => {
      if (options.signal?.aborted === true) throw error
      throw unreachable()
    })
    if (response.ok) return response
    throw problemOf(response.status, await response.json().catch(() => undefined))
  }

  async function send<T>(method: Method, path: string, options: Options = {}) {
    const response = await open(method, path, options)
    const body: unknown = await response.json().catch(() => undefined)
    // The gateway's presenters are typed by the same protocol: the one trusted boundary of the console.
    return body as T
  }

  async function me(): Promise<OperatorView> {
    const operator = await send<OperatorView>('GET', '/v1/console/me')
    csrf = operator.csrf
    return operator
  }

  return {
    me,
    signIn: (token: string) => send<unknown>('POST', '/v1/console/sign-in', { body: { token } }),
    account: accountCalls(send, me),
    /** Without a password the person comes in this once. */
    acceptInvitation: (token: string, name: string, password: string) =>
      send<OperatorView>('POST', '/v1/team/invitations/accept', {
        body: { token, name, ...(password === '' ? {} : { password }) },
      }),
    signOut: () => send<unknown>('POST', '/v1/console/sign-out'),
    /** Calls of one tenant: the only way to reach tenant data. */
    of: (tenant: string) => tenantApi(tenantCall(tenant, send, open)),
  }
}

function tenantApi(call: TenantCall) {
  const { get, post } = call
  return {
    agents: agentCalls(call),
    approvals: approvalCalls(call),
    team: teamCalls(call),
    roles: roleCalls(call),
    audit: auditCalls(call),
    knowledge: knowledgeCalls(call),
    tools: toolCalls(call),
    mcp: mcpCalls(call),
    endedSessions: (cursor: string | undefined, limit: number) =>
      get<Page<SessionView>>('/v1/sessions', { state: 'ended', cursor, limit }),
    session: (id: string) => get<SessionView>(`/v1/sessions/${encodeURIComponent(id)}`),
    transcript: (id: string) =>
      get<{ readonly turns: readonly Turn[] }>(`/v1/sessions/${encodeURIComponent(id)}/transcript`),
    receipt: (id: string) => get<Receipt>(`/v1/sessions/${encodeURIComponent(id)}/receipt`),
    endSession: (id: string, reason: string) => post<unknown>(`/v1/sessions/${encodeURIComponent(id)}/end`, { reason }),
    credits: () => get<CreditsView>('/v1/credits'),
    entries: (cursor: string | undefined) => get<Page<EntryView>>('/v1/credits/entries', { cursor }),
    usageDays: (from: string, to: string) =>
      get<{ readonly days: readonly UsageDay[] }>('/v1/usage/days', { from, to }),
    tenant: () => get<TenantView>('/v1/tenant'),
    setStatus: (status: TenantView['status']) => post<unknown>('/v1/tenant/status', { status }),
    siteKeys: () => get<{ readonly items: readonly SiteKeyView[] }>('/v1/site-keys'),
    createSiteKey: (label: string, agentSlug: string) => post<SiteKeyView>('/v1/site-keys', { label, agentSlug }),
    revokeSiteKey: (id: string) => post<unknown>(`/v1/site-keys/${encodeURIComponent(id)}/revoke`),
    apiKeys: () => get<{ readonly items: readonly ApiKeyView[] }>('/v1/api-keys'),
    createApiKey: (key: KeyWish) => post<NewApiKey>('/v1/api-keys', key),
    changeApiKey: (id: string, key: Omit<KeyWish, 'role'>) =>
      call.patch<ApiKeyView>(`/v1/api-keys/${encodeURIComponent(id)}`, key),
    revokeApiKey: (id: string) => post<unknown>(`/v1/api-keys/${encodeURIComponent(id)}/revoke`),
  }
}

function tenantCall(
  tenant: string,
  send: <T>(method: Method, path: string, options?: Options) => Promise<T>,
  open: (method: Method, path: string, options?: Options) => Promise<Response>,
): TenantCall {
  return {
    get: (path, query = {}) => send('GET', path, { query: { tenant, ...query } }),
    post: (path, body = {}) => send('POST', path, { query: { tenant }, body }),
    put: (path, body) => send('PUT', path, { query: { tenant }, body }),
    patch: (path, body) => send('PATCH', path, { query: { tenant }, body }),
    remove: (path) => send('DELETE', path, { query: { tenant } }),
    stream: (path, body, signal) =>
      open('POST', path, { query: { tenant }, body, signal, accept: 'text/event-stream' }),
    upload: (path, file, query = {}) => send('POST', path, { query: { tenant, ...query }, file }),
    download: async (path, query = {}) =>
      (await open('GET', path, { query: { tenant, ...query }, accept: '*/*' })).blob(),
  }
}

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
