import type { Page } from '../../gateway/protocol/rest.ts'
import type { ToolView } from '../../gateway/protocol/tools.ts'
import type { JsonObject } from '../ui/json.ts'
import type { TenantCall } from './call.ts'
import type { Secret } from './schema.ts'

/** One real call of a descriptor, saved or not; secrets are masked. */
export interface ToolTrial {
  readonly request: {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string | null
  }
  /** Null: there was none; `result` says why. */
  readonly response: { readonly status: number; readonly body: string } | null
  readonly result: JsonObject
  readonly ms: number
}

/** Of the assistant: nothing of it is stored. */
export interface ToolDraft {
  readonly descriptor: Pick<ToolView, 'name' | 'description'> & Partial<ToolView>
  /** What is still to be done or known. */
  readonly notes: readonly string[]
}

export type DraftWish = { readonly sentence: string } | { readonly openapi: string; readonly url?: string }

export function toolCalls(call: TenantCall) {
  const at = (name: string) => `/v1/tools/${encodeURIComponent(name)}`
  return {
    list: (cursor: string | undefined) => call.get<Page<ToolView>>('/v1/tools', { cursor, limit: 100 }),
    detail: (name: string) => call.get<ToolView>(at(name)),
    put: (name: string, tool: JsonObject) => call.put<ToolView>(at(name), tool),
    test: (descriptor: JsonObject, args: JsonObject) =>
      call.post<ToolTrial>('/v1/tools/test', { descriptor, arguments: args }),
    draft: (wish: DraftWish) => call.post<{ readonly items: readonly ToolDraft[] }>('/v1/tools/draft', wish),
    remove: (name: string) => call.remove(at(name)),
    secrets: (cursor: string | undefined) => call.get<Page<Secret>>('/v1/secrets', { cursor }),
  }
}
