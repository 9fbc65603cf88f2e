// Agents over HTTP: made, changed, put to work, put away; the prompt they answer by.

import { z } from 'zod'
import type { AuthContext } from '../platform/access.ts'
import { type Route, type RouteReply, route } from '../platform/http.ts'
import { pageOf, pageQuery } from '../platform/page.ts'
import { Problem } from '../platform/problem.ts'
import { agentStatus, agentSubtype, newAgent } from './agent.ts'
import type { Agent, Agents, TenantAgents } from './agents.ts'
import { agentConfig } from './config.ts'
import { detailOf, viewOf } from './present.ts'
import { promptRoutes } from './prompt-routes.ts'
import { versionRoutes } from './version-routes.ts'
import { agentDetail, agentView, promptReply } from './views.ts'

const byId = z.strictObject({ id: z.string().min(1).max(64) })
/** Fields of a config, without the defaults of those that are missing. */
const someConfig = z.record(z.string().max(64), z.unknown())

export function agentRoutes({ agents }: { readonly agents: Agents }): Route[] {
  return [
    ...readRoutes(agents),
    ...writeRoutes(agents),
    ...statusRoutes(agents),
    ...versionRoutes(agents),
    ...promptRoutes(agents),
  ]
}

function readRoutes(agents: Agents): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/agents',
      access: 'agents.read',
      reply: pageOf(agentView),
      summary: 'The tenant’s agents, in the order of their slugs.',
      query: z.strictObject({ subtype: agentSubtype.optional(), status: agentStatus.optional(), ...pageQuery }),
      async run({ auth, query }) {
        const page = await agents.of(auth.tenantId).page(query)
        const items = page.items.filter((each) => auth.may('agents.read', each.id)).map(viewOf)
        return { json: { items: items.map((each) => auth.masked('agents', each, each.id)), next: page.next } }
      },
    }),
    route({
      method: 'GET',
      path: '/v1/agents/by-slug/:slug',
      access: 'agents.read',
      reply: agentDetail,
      summary: 'One agent by its slug, with its draft and what is live.',
      params: z.strictObject({ slug: z.string().min(1).max(50) }),
      async run({ auth, params }) {
        const agent = await agents.of(auth.tenantId).bySlug(params.slug)
        return detail(auth, readable(auth, agent))
      },
    }),
    route({
      method: 'GET',
      path: '/v1/agents/:id',
      access: 'agents.read',
      reply: agentDetail,
      summary: 'One agent, with its draft and what is live.',
      params: byId,
      run: async ({ auth, params }) => detail(auth, readable(auth, await agents.of(auth.tenantId).byId(params.id))),
    }),
    route({
      method: 'GET',
      path: '/v1/agents/:id/prompt',
      access: 'agents.read',
      reply: promptReply,
      summary: 'The prompt as a model is given it, whole and by its sections.',
      params: byId,
      query: z.strictObject({ environment: z.enum(['draft', 'live']).default('draft') }),
      async run({ auth, params, query }) {
        mayOf(auth, 'agents.read', params.id)
        return { json: await agents.of(auth.tenantId).promptOf(params.id, query.environment) }
      },
    }),
  ]
}

function writeRoutes(agents: Agents): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/agents',
      access: 'agents.write',
      reply: agentDetail,
      status: 201,
      summary: 'Makes an agent: a draft that nobody reaches yet. Without a slug it gets one of its name.',
      body: newAgent.extend({ config: agentConfig.optional() }),
      async run({ auth, body }) {
        const agent = await agents.of(auth.tenantId).create(body, { actor: auth.actor })
        return detail(auth, agent)
      },
    }),
    route({
      method: 'PATCH',
      path: '/v1/agents/:id',
      access: 'agents.write',
      reply: agentDetail,
      summary: 'Changes name, subtype or some fields of the draft; a changed draft is a new version.',
      params: byId,
      body: z.strictObject({
        ...{ name: newAgent.shape.name.optional(), subtype: agentSubtype.optional() },
        config: someConfig.optional(),
      }),
      async run({ auth, params, body: { config, ...named } }) {
        const scope = writable(agents, auth, params.id)
        const set = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
        const change = config === undefined ? set : { ...set, config: await completed(scope, params.id, config) }
        return detail(auth, await scope.change(params.id, change, { actor: auth.actor }))
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/agents/:id',
      access: 'agents.write',
      summary: 'Deletes an agent that is archived or was never active; its versions and conversations stay.',
      params: byId,
      async run({ auth, params }) {
        await writable(agents, auth, params.id).remove(params.id)
        return {}
      },
    }),
  ]
}

/** The fields given over those of the draft, checked as a whole. */
async function completed(scope: TenantAgents, id: string, config: Readonly<Record<string, unknown>>) {
  const agent = await scope.byId(id)
  if (agent === undefined) throw new Problem('not_found')
  const parsed = agentConfig.safeParse({ ...agent.draft, ...config })
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => ({
    path: ['body', 'config', ...path].join('.'),
    message,
  }))
  throw new Problem('invalid', 'The config has a wrong value.', { issues })
}

function statusRoutes(agents: Agents): Route[] {
  const move = (verb: 'pause' | 'archive', status: 'paused' | 'archived', summary: string): Route =>
    route({
      method: 'POST',
      path: `/v1/agents/:id/${verb}`,
      access: 'agents.write',
      reply: agentDetail,
      summary,
      params: byId,
      run: async ({ auth, params }) =>
        detail(auth, await writable(agents, auth, params.id).setStatus(params.id, status)),
    })
  return [
    route({
      method: 'POST',
      path: '/v1/agents/:id/activate',
      access: 'agents.write',
      reply: agentDetail,
      summary: 'The agent answers. When nothing was deployed yet, its draft is, for callers who may deploy.',
      params: byId,
      async run({ auth, params }) {
        const scope = writable(agents, auth, params.id)
        const isFirst = (await scope.byId(params.id))?.version === 0
        const deploys = isFirst && auth.may('agents.deploy', params.id)
        const agent = deploys
          ? await scope.publish(params.id, { actor: auth.actor })
          : await scope.setStatus(params.id, 'active')
        return detail(auth, agent)
      },
    }),
    move(
      'pause',
      'paused',
      'The agent answers nobody until it is activated again; its live sessions end within seconds.',
    ),
    move('archive', 'archived', 'Puts a paused agent away for good.'),
  ]
}

function readable(auth: AuthContext, agent: Agent | undefined): Agent {
  if (agent === undefined || !auth.may('agents.read', agent.id)) throw new Problem('not_found')
  return agent
}

function writable(agents: Agents, auth: AuthContext, id: string): TenantAgents {
  mayOf(auth, 'agents.write', id)
  return agents.of(auth.tenantId)
}

function mayOf(auth: AuthContext, ability: 'agents.read' | 'agents.write', id: string): void {
  // A role that is bound to other agents does not know of this one.
  if (!auth.may(ability, id)) throw new Problem('not_found')
}

function detail(auth: AuthContext, agent: Agent): RouteReply {
  return { json: auth.masked('agents', detailOf(agent), agent.id) }
}
