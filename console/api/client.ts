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
import { problemOf, unreachable } from './problem.ts'

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

type Query = Readonly<Record<string, string | number | undefined>>

/** A fresh API key: the secret is in this answer and in no later one. */
export type NewApiKey = ApiKeyView & { readonly key: string }

export type Api = ReturnType<typeof createApi>
export type TenantApi = ReturnType<Api['of']>

export function createApi(fetch: Fetch) {
  // Known once `me` has answered; every change sends it back.
  let csrf: string | undefined

  async function send<T>(method: 'GET' | 'POST', path: string, options: { query?: Query; body?: unknown } = {}) {
    const headers: Record<string, string> = { accept: 'application/json' }
    if (method === 'POST') headers['content-type'] = 'application/json'
    if (method === 'POST' && csrf !== undefined) headers['x-parley-csrf'] = csrf
    const init: RequestInit = { method, headers, credentials: 'same-origin' }
    if (method === 'POST') init.body = JSON.stringify(options.body ?? {})
    const response = await fetch(withQuery(path, options.query ?? {}), init).catch(() => {
      throw unreachable()
    })
    const body: unknown = await response.json().catch(() => undefined)
    if (!response.ok) throw problemOf(response.status, body)
    // The gateway's presenters are typed by the same protocol/rest.ts: the one trusted boundary of the console.
    return body as T
  }

  return {
    async me(): Promise<OperatorView> {
      const operator = await send<OperatorView>('GET', '/v1/console/me')
      csrf = operator.csrf
      return operator
    },
    signIn: (token: string) => send<unknown>('POST', '/v1/console/sign-in', { body: { token } }),
    signOut: () => send<unknown>('POST', '/v1/console/sign-out'),
    /** Calls of one tenant: the only way to reach tenant data. */
    of(tenant: string) {
      const get = <T>(path: string, query: Query = {}) => send<T>('GET', path, { query: { tenant, ...query } })
      const post = <T>(path: string, body: unknown = {}) => send<T>('POST', path, { query: { tenant }, body })
      return {
        endedSessions: (cursor: string | undefined, limit: number) =>
          get<Page<SessionView>>('/v1/sessions', { state: 'ended', cursor, limit }),
        session: (id: string) => get<SessionView>(`/v1/sessions/${encodeURIComponent(id)}`),
        transcript: (id: string) =>
          get<{ readonly turns: readonly Turn[] }>(`/v1/sessions/${encodeURIComponent(id)}/transcript`),
        receipt: (id: string) => get<Receipt>(`/v1/sessions/${encodeURIComponent(id)}/receipt`),
        endSession: (id: string, reason: string) =>
          post<unknown>(`/v1/sessions/${encodeURIComponent(id)}/end`, { reason }),
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
        createApiKey: (label: string) => post<NewApiKey>('/v1/api-keys', { label }),
        revokeApiKey: (id: string) => post<unknown>(`/v1/api-keys/${encodeURIComponent(id)}/revoke`),
      }
    },
  }
}

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
