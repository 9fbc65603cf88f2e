// The tenant's media library, and the text of its documents.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { Knowledge } from '../../knowledge/knowledge.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

interface Deps {
  readonly entities: Entities
  readonly knowledge: Knowledge
}

/** What a model reads at once; it asks for the rest. */
const pageChars = 6_000

export function mediaTools(deps: Deps): readonly BuiltinTool[] {
  return [
    builtin(
      {
        ...{ name: 'search_media', kind: 'media.search_media', category: 'media', readOnly: true },
        description: 'Finds pictures, videos and documents in the media library.',
      },
      z.strictObject({
        query: z.string().min(1).max(300).describe('Words to be found in it').optional(),
        kind: z.enum(['image', 'video', 'audio', 'document']).optional(),
        tag: z.string().max(60).optional(),
        limit: z.int().min(1).max(20).optional(),
      }),
      async ({ query, kind, tag, limit = 8 }, { tenantId, auth }) => {
        const library = deps.entities
          .of(tenantId)
          .as(await auth())
          .template('media')
        const where = { ...(kind === undefined ? {} : { kind }), ...(tag === undefined ? {} : { tags: tag }) }
        const { items, next } = await library.list({ q: query, where, limit })
        const shown = items.map((view) => {
          const { text, ...rest } = library.read(view)
          return { id: view.id, ...rest, ...(text === undefined ? {} : { chars: text.length }) }
        })
        return { ...listResult(shown), ...(next === null ? {} : { more: true }) }
      },
    ),
    builtin(
      {
        ...{ name: 'get_document_content', kind: 'media.get_document_content', category: 'media', readOnly: true },
        description: 'Reads the text of a document of the media library or of the knowledge base, page by page.',
      },
      z.strictObject({
        document: z.string().min(1).max(200).describe('Id that search_media gave, or key of a knowledge document'),
        page: z.int().min(1).max(10_000).describe('From 1').optional(),
      }),
      async ({ document, page = 1 }, { tenantId, auth }) => {
        const { title, text } = await documentOf(deps, { tenantId, auth: await auth(), key: document })
        const pages = Math.max(1, Math.ceil(text.length / pageChars))
        const from = (page - 1) * pageChars
        return { title, page, pages, text: text.slice(from, from + pageChars) }
      },
    ),
  ]
}

interface Wanted {
  readonly tenantId: TenantId
  readonly auth: AuthContext
  readonly key: string
}

async function documentOf(
  { entities, knowledge }: Deps,
  { tenantId, auth, key }: Wanted,
): Promise<{ readonly title: string; readonly text: string }> {
  const library = entities.of(tenantId).as(auth).template('media')
  const view = await library.get(key).catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'not_found') return undefined
    throw error
  })
  if (view !== undefined) {
    const { name, text } = library.read(view)
    if (text === undefined) throw new Problem('unsupported', 'Nobody has written down what this says.')
    return { title: name, text }
  }
  const known = (await knowledge.of(tenantId).all()).find((each) => each.key === key)
  if (known === undefined) throw new Problem('not_found')
  return { title: known.title, text: known.text }
}
