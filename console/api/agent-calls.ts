import type {
  AgentConfigView,
  AgentDetail,
  AgentDiff,
  AgentFile,
  AgentPrompt,
  AgentSubtype,
  AgentVersionView,
  AgentView,
} from '../../gateway/protocol/agents.ts'
import type { ConversationView, ConversationWithMessages } from '../../gateway/protocol/chat.ts'
import type { Page } from '../../gateway/protocol/rest.ts'
import type { TenantCall } from './call.ts'
import type { Api } from './schema.ts'

export type AgentMove = 'activate' | 'pause' | 'archive'
/** `draft`, `live`, or the number of a version. */
export type VersionName = 'draft' | 'live' | number

export interface NewAgent {
  readonly slug: string
  readonly name: string
  readonly subtype: AgentSubtype
  readonly config?: Partial<AgentConfigView>
}

export function agentCalls(call: TenantCall) {
  const at = (id: string, rest = '') => `/v1/agents/${encodeURIComponent(id)}${rest}`
  return {
    list: (cursor: string | undefined) => call.get<Page<AgentView>>('/v1/agents', { cursor, limit: 100 }),
    textModels: () => call.get<Api['GET /v1/text-models']['reply']>('/v1/text-models'),
    detail: (id: string) => call.get<AgentDetail>(at(id)),
    create: (agent: NewAgent) => call.post<AgentDetail>('/v1/agents', agent),
    change: (id: string, part: { name?: string; subtype?: AgentSubtype }) => call.patch<AgentDetail>(at(id), part),
    remove: (id: string) => call.remove(at(id)),
    move: (id: string, move: AgentMove) => call.post<AgentDetail>(at(id, `/${move}`)),
    saveDraft: (id: string, config: AgentConfigView, basedOn: number | undefined) =>
      call.put<AgentDetail>(at(id, '/draft'), { config, ...(basedOn === undefined ? {} : { basedOn }) }),
    deploy: (id: string, how: { note?: string; percent?: number }) => call.post<AgentDetail>(at(id, '/deploy'), how),
    rollback: (id: string, version: number) => call.post<AgentDetail>(at(id, '/rollback'), { version }),
    rollout: (id: string, version: number, percent: number) =>
      call.post<AgentDetail>(at(id, '/rollout'), { version, percent }),
    versions: (id: string) => call.get<Page<AgentVersionView>>(at(id, '/versions'), { limit: 100 }),
    diff: (id: string, from: VersionName, to: VersionName) => call.get<AgentDiff>(at(id, '/diff'), { from, to }),
    prompt: (id: string, environment: 'draft' | 'live') => call.get<AgentPrompt>(at(id, '/prompt'), { environment }),
    exported: (id: string) => call.get<AgentFile>(at(id, '/export')),
    /** Streamed: `readEvents` reads it. */
    chat: (slug: string, message: { message: string; threadId: string | undefined }, signal: AbortSignal) =>
      call.stream(`/v1/agents/${encodeURIComponent(slug)}/chat`, { ...message, stream: true }, signal),
    activity: (id: string, cursor: string | undefined) =>
      call.get<Page<ConversationView>>(at(id, '/activity'), { cursor, limit: 60 }),
    conversation: (id: string) =>
      call.get<ConversationWithMessages>(`/v1/conversations/${encodeURIComponent(id)}`, { messages: 'true' }),
    moveConversation: (id: string, move: 'hand-off' | 'close') =>
      call.post<ConversationView>(`/v1/conversations/${encodeURIComponent(id)}/${move}`),
    imported: (file: unknown) => call.post<AgentDetail>('/v1/agents/import', file),
  }
}
