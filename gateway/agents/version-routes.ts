// The versions of an agent over HTTP: the draft is synced, deployed, tried, taken back, compared and carried elsewhere.

import { z } from 'zod'
import type { Ability, AuthContext } from '../platform/access.ts'
import { type Route, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { Problem } from '../platform/problem.ts'
import type { Agents, TenantAgents } from './agents.ts'
import { agentConfig } from './config.ts'
import { agentFile } from './file.ts'
import { detailOf, versionDetailOf, versionViewOf } from './present.ts'
import { agentDetail, diffReply, fileReply, versionDetail, versionView } from './views.ts'

const byId = z.strictObject({ id: z.string().min(1).max(64) })
const number = z.coerce.number().int().min(1).max(1_000_000_000)
const which = z.union([z.enum(['draft', 'live']), number])
const note = z.string().trim().max(500).optional()
const version = z.int().min(1)

export function versionRoutes(agents: Agents): Route[] {
  return [...draftRoutes(agents), ...deployRoutes(agents), ...historyRoutes(agents), ...fileRoutes(agents)]
}

function draftRoutes(agents: Agents): Route[] {
  return [
    route({
      method: 'PUT',
      path: '/v1/agents/:id/draft',
      access: 'agents.write',
      reply: agentDetail,
      summary:
        'The whole draft, as a new version. With `basedOn`: only while that is the draft; else 409 names the one that is.',
      params: byId,
      body: z.strictObject({ config: agentConfig, basedOn: version.optional(), note }),
      async run({ auth, params, body: { config, ...by } }) {
        const scope = scoped(agents, auth, ['agents.write', params.id])
        return { json: detailOf(await scope.saveDraft(params.id, config, { actor: auth.actor, ...by })) }
      },
    }),
  ]
}

function deployRoutes(agents: Agents): Route[] {
  const deployer = (auth: AuthContext, id: string) => scoped(agents, auth, ['agents.deploy', id])
  return [
    route({
      method: 'POST',
      path: '/v1/agents/:id/deploy',
      access: 'agents.deploy',
      reply: agentDetail,
      summary: 'The draft is live at once; with `percent`, for that share of the people.',
      params: byId,
      body: z.strictObject({ note, percent: z.int().min(1).max(100).optional() }),
      run: async ({ auth, params, body }) => ({
        json: detailOf(await deployer(auth, params.id).deploy(params.id, { actor: auth.actor, ...body })),
      }),
    }),
    route({
      method: 'POST',
      path: '/v1/agents/:id/rollback',
      access: 'agents.deploy',
      reply: agentDetail,
      summary:
        'Another version is live at once, for everybody, conversations in progress too. The draft stays as it is.',
      params: byId,
      body: z.strictObject({ version, note }),
      run: async ({ auth, params, body }) => ({
        json: detailOf(
          await deployer(auth, params.id).rollBack(params.id, body.version, { actor: auth.actor, note: body.note }),
        ),
      }),
    }),
    route({
      method: 'POST',
      path: '/v1/agents/:id/rollout',
      access: 'agents.deploy',
      reply: agentDetail,
      summary: 'A version for a share of the people, always the same ones. 100: live for all. 0: the trial ends.',
      params: byId,
      body: z.strictObject({ version, percent: z.int().min(0).max(100), note }),
      run: async ({ auth, params, body: { note: why, ...trial } }) => ({
        json: detailOf(await deployer(auth, params.id).rollOut(params.id, trial, { actor: auth.actor, note: why })),
      }),
    }),
  ]
}

function historyRoutes(agents: Agents): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/agents/:id/versions',
      access: 'agents.read',
      reply: pageOf(versionView),
      summary: 'The versions of an agent, newest first; those of a deleted one too.',
      params: byId,
      query: z.strictObject(pageQuery),
      async run({ auth, params, query }) {
        const scope = scoped(agents, auth, ['agents.read', params.id])
        const [agent, page] = await Promise.all([scope.byId(params.id), scope.versions(params.id, query)])
        return { json: { items: page.items.map((each) => versionViewOf(each, agent)), next: page.next } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/agents/:id/versions/:version',
      access: 'agents.read',
      reply: versionDetail,
      summary: 'One version with its config: a number, `draft` or `live`.',
      params: byId.extend({ version: which }),
      async run({ auth, params }) {
        const scope = scoped(agents, auth, ['agents.read', params.id])
        const [agent, found] = await Promise.all([scope.byId(params.id), scope.version(params.id, params.version)])
        return { json: versionDetailOf(found, agent) }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/agents/:id/diff',
      access: 'agents.read',
      reply: diffReply,
      summary: 'The fields in which two versions differ, before and after.',
      params: byId,
      query: z.strictObject({ from: which.default('live'), to: which.default('draft') }),
      run: async ({ auth, params, query }) => ({
        json: await scoped(agents, auth, ['agents.read', params.id]).diff(params.id, query),
      }),
    }),
  ]
}

function fileRoutes(agents: Agents): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/agents/:id/export',
      access: 'agents.read',
      reply: fileReply,
      summary: 'An agent as a file. It holds no secrets.',
      params: byId,
      query: z.strictObject({ version: which.default('draft') }),
      async run({ auth, params, query }) {
        const file = await scoped(agents, auth, ['agents.read', params.id]).file(params.id, query.version)
        const headers = { 'content-disposition': `attachment; filename="${file.agent.slug}.agent.json"` }
        return { json: file, headers }
      },
    }),
    route({
      method: 'POST',
      path: '/v1/agents/import',
      access: 'agents.write',
      reply: agentDetail,
      replies: [{ type: 'application/json', status: 201, schema: agentDetail }],
      summary: 'Makes the agent of a file, or a new draft of the one that has its slug.',
      body: z.strictObject({ file: agentFile, basedOn: version.optional(), note }),
      async run({ auth, body: { file, ...by } }) {
        const scope = agents.of(auth.tenantId)
        const there = await scope.bySlug(file.agent.slug)
        if (there !== undefined) scoped(agents, auth, ['agents.write', there.id])
        const { agent, created } = await scope.takeFile(file, { actor: auth.actor, ...by })
        return { status: created ? 201 : 200, json: detailOf(agent) }
      },
    }),
  ]
}

/** A role that is bound to other agents does not know of this one. */
function scoped(agents: Agents, auth: AuthContext, [ability, id]: readonly [Ability, string]): TenantAgents {
  if (!auth.may(ability, id)) throw new Problem('not_found')
  return agents.of(auth.tenantId)
}
