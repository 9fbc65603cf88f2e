import type { KnowledgeFinding, KnowledgeSourceView } from '../../gateway/protocol/knowledge.ts'
import type { Page } from '../../gateway/protocol/rest.ts'
import type { TenantCall } from './call.ts'

export function knowledgeCalls(call: TenantCall) {
  const sources = '/v1/knowledge/sources'
  const at = (id: string, rest = '') => `${sources}/${encodeURIComponent(id)}${rest}`
  return {
    sources: (cursor: string | undefined) => call.get<Page<KnowledgeSourceView>>(sources, { cursor, limit: 100 }),
    addPage: (url: string, name: string) =>
      call.post<KnowledgeSourceView>(`${sources}/from-url`, { url, ...(name === '' ? {} : { name }) }),
    upload: (file: File) => call.upload<KnowledgeSourceView>(sources, file, { name: file.name }),
    readAgain: (id: string) => call.post<KnowledgeSourceView>(at(id, '/reindex')),
    readAllAgain: () => call.post<{ readonly sources: number }>('/v1/knowledge/reindex'),
    remove: (id: string) => call.remove(at(id)),
    search: (q: string) =>
      call.get<{ readonly items: readonly KnowledgeFinding[] }>('/v1/knowledge/search', { q, limit: 8 }),
  }
}
