// Knowledge over HTTP: a tenant's sources, a search of them, and our own papers.

import { z } from 'zod'
import { type Route, rawBody, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { found, Problem } from '../platform/problem.ts'
import { maxSourceBytes } from '../protocol/knowledge.ts'
import type { Finding, Knowledge } from './knowledge.ts'
import { fileOf } from './uploaded-file.ts'
import { findingView, progressView, sourceView, systemDetail, systemView } from './views.ts'

type Needs = { readonly knowledge: Knowledge }

export function knowledgeRoutes(deps: Needs): Route[] {
  return [...sourceRoutes(deps), ...addingRoutes(deps), ...readingRoutes(deps), ...systemRoutes(deps)]
}

const one = z.strictObject({ id: z.string().min(1).max(80) })

function sourceRoutes({ knowledge }: Needs): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/knowledge/sources',
      access: 'knowledge.read',
      reply: pageOf(sourceView),
      summary: 'What agents look things up in, newest first.',
      query: z.strictObject(pageQuery),
      run: async ({ auth, query }) => ({ json: await knowledge.of(auth.tenantId).sources(auth).list(query) }),
    }),
    route({
      method: 'GET',
      path: '/v1/knowledge/sources/:id',
      access: 'knowledge.read',
      reply: sourceView,
      summary: 'One source: its state, how far its reading is, why it failed.',
      params: one,
      run: async ({ auth, params }) => ({
        json: found(await knowledge.of(auth.tenantId).sources(auth).get(params.id)),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/knowledge/sources/:id',
      access: 'knowledge.write',
      summary: 'Removes a source with all that was read of it. No answer finds it from now on.',
      params: one,
      async run({ auth, params }) {
        if (!(await knowledge.of(auth.tenantId).sources(auth).remove(params.id))) throw new Problem('not_found')
        return {}
      },
    }),
    route({
      method: 'GET',
      path: '/v1/knowledge/search',
      access: 'knowledge.read',
      reply: z.strictObject({ items: z.array(findingView) }),
      summary: 'What an agent would find for these words, best first.',
      query: z.strictObject({
        q: z.string().min(1).max(300),
        limit: z.coerce.number().int().min(1).max(20).default(5),
      }),
      run: async ({ auth, query }) => {
        const hits = await knowledge.search(auth.tenantId, query.q, query.limit)
        return { json: { items: hits.map(findingOf) } }
      },
    }),
  ]
}

function findingOf({ kind, title, text, heading, page, source, sourceId, url, score }: Finding) {
  return {
    ...{ kind, title, text, heading: heading ?? null, page: page ?? null },
    ...{ source: source ?? null, sourceId: sourceId ?? null, url: url ?? null, score },
  }
}

/** What `multipart/form-data` puts around a file. */
const formBytes = 64 * 1024

function addingRoutes({ knowledge }: Needs): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/knowledge/sources',
      access: 'knowledge.write',
      reply: sourceView,
      status: 201,
      summary:
        'Uploads a file: PDF, DOCX, HTML, Markdown, CSV or text, 20 MB at most. The body is the file (its name in `name`), or a form with a field `file`. It is read soon after.',
      query: z.strictObject({ name: z.string().min(1).max(200).optional() }),
      body: rawBody,
      raw: true,
      accepts: [
        ...['application/octet-stream', 'multipart/form-data', 'application/pdf', 'text/html', 'text/markdown'],
        ...['text/csv', 'text/plain', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
      ],
      maxBytes: maxSourceBytes + formBytes,
      run: async ({ auth, body, query }) => ({
        json: await knowledge
          .of(auth.tenantId)
          .sources(auth)
          .upload(await fileOf(body, query.name)),
      }),
    }),
    route({
      method: 'POST',
      path: '/v1/knowledge/sources/from-url',
      access: 'knowledge.write',
      reply: sourceView,
      status: 201,
      summary: 'Names a page on the web as a source. It is fetched soon after, and again whenever it is read again.',
      body: z.strictObject({
        url: z.url({ protocol: /^https?$/ }).max(2_000),
        name: z.string().min(1).max(200).optional(),
      }),
      run: async ({ auth, body }) => ({ json: await knowledge.of(auth.tenantId).sources(auth).addPage(body) }),
    }),
  ]
}

function readingRoutes({ knowledge }: Needs): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/knowledge/sources/:id/reindex',
      access: 'knowledge.write',
      reply: sourceView,
      status: 202,
      summary: 'Has a source read again: a page is fetched anew. Until then it is searched as it was.',
      params: one,
      run: async ({ auth, params }) => ({
        json: found(await knowledge.of(auth.tenantId).sources(auth).readAgain(params.id)),
      }),
    }),
    route({
      method: 'POST',
      path: '/v1/knowledge/reindex',
      access: 'knowledge.write',
      reply: z.strictObject({ sources: z.int() }),
      status: 202,
      summary: 'Has all sources read again; how far that is, GET /v1/knowledge/progress says.',
      run: async ({ auth }) => ({
        json: { sources: await knowledge.of(auth.tenantId).sources(auth).readAllAgain() },
      }),
    }),
    route({
      method: 'GET',
      path: '/v1/knowledge/progress',
      access: 'knowledge.read',
      reply: progressView,
      summary: 'How far the reading of all sources is.',
      run: async ({ auth }) => ({ json: await knowledge.of(auth.tenantId).sources(auth).progress() }),
    }),
  ]
}

function systemRoutes({ knowledge }: Needs): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/system-knowledge',
      access: 'agents.read',
      reply: pageOf(systemView),
      summary: 'Papers on marketing, sales and strategy that agents with `useSystemKnowledge` look into.',
      run: async () => ({ json: { items: knowledge.system.list(), next: null } }),
    }),
    route({
      method: 'GET',
      path: '/v1/system-knowledge/:slug',
      access: 'agents.read',
      reply: systemDetail,
      summary: 'One of them, whole.',
      params: z.strictObject({ slug: z.string().min(1).max(64) }),
      run: async ({ params }) => ({ json: found(await knowledge.system.document(params.slug)) }),
    }),
  ]
}
