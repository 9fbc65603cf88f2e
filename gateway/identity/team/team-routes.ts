// HTTP of the team: members and invitations of the credential's tenant, and the door for who was invited.

import { z } from 'zod'
import { type Route, type RouteReply, route } from '../../platform/http.ts'
import { pageOf, pageQuery } from '../../platform/page.ts'
import { Problem } from '../../platform/problem.ts'
import type { Identity } from '../identity.ts'
import { invitationView, memberView, newInvitationView, operatorView } from '../views.ts'

export interface TeamRoutesDeps {
  readonly identity: Identity
  /** The operator and the cookie of a session that has begun. */
  readonly signedInReply: (session: { cookie: string; maxAgeSeconds: number }) => Promise<RouteReply>
}

const byId = z.strictObject({ id: z.string().min(1).max(64) })
const page = z.strictObject(pageQuery)
const roles = z.array(z.string().min(1).max(64)).min(1).max(10)
const noStore = { 'cache-control': 'no-store' }

export function teamRoutes(deps: TeamRoutesDeps): Route[] {
  // The fixed path comes before the one with an id: it would be taken for a member.
  return [...invitationRoutes(deps), ...memberRoutes(deps)]
}

function memberRoutes({ identity }: TeamRoutesDeps): Route[] {
  const { team } = identity
  return [
    route({
      method: 'GET',
      path: '/v1/team',
      access: 'team.read',
      summary: 'The people of the tenant with their roles',
      query: page,
      reply: pageOf(memberView),
      run: async ({ tenantId, query }) => ({ json: await team.of(tenantId).members(query) }),
    }),
    route({
      method: 'GET',
      path: '/v1/team/:id',
      access: 'team.read',
      summary: 'One person of the tenant',
      params: byId,
      reply: memberView,
      run: async ({ tenantId, params }) => ({ json: await team.of(tenantId).member(params.id) }),
    }),
    route({
      method: 'PATCH',
      path: '/v1/team/:id',
      access: 'team.write',
      summary: 'Changes the roles of a person in the tenant; the last owner stays one',
      params: byId,
      body: z.strictObject({ roles }),
      reply: memberView,
      run: async ({ tenantId, params, body, auth }) => ({
        json: await team.of(tenantId).setRoles(params.id, body.roles, auth),
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/team/:id',
      access: 'team.write',
      summary: 'Removes a person from the tenant; their access ends at once',
      params: byId,
      async run({ tenantId, params, auth }) {
        await team.of(tenantId).remove(params.id, auth)
        return {}
      },
    }),
  ]
}

function invitationRoutes({ identity, signedInReply }: TeamRoutesDeps): Route[] {
  const { team } = identity
  return [
    route({
      method: 'GET',
      path: '/v1/team/invitations',
      access: 'team.read',
      summary: 'Invitations to the tenant, without their links',
      query: page,
      reply: pageOf(invitationView),
      run: async ({ tenantId, query }) => ({ json: await team.of(tenantId).invitations(query) }),
    }),
    route({
      method: 'POST',
      path: '/v1/team/invitations',
      access: 'team.write',
      summary: 'Invites a person; the link is told this once, works once and for 7 days',
      body: z.strictObject({ email: z.email().max(254), roles }),
      status: 201,
      reply: newInvitationView,
      run: async ({ tenantId, body, auth }) => ({
        json: await team.of(tenantId).invite(body, auth),
        headers: noStore,
      }),
    }),
    route({
      method: 'DELETE',
      path: '/v1/team/invitations/:id',
      access: 'team.write',
      summary: 'Takes an open invitation back',
      params: byId,
      async run({ tenantId, params }) {
        await team.of(tenantId).revokeInvitation(params.id)
        return {}
      },
    }),
    acceptRoute({ identity, signedInReply }),
  ]
}

function acceptRoute({ identity, signedInReply }: TeamRoutesDeps): Route {
  const door = { method: 'POST', path: '/v1/team/invitations/accept' } as const
  const act = (ip: string) => ({ ability: 'auth.sign-in', door, ip }) as const
  return route({
    ...door,
    access: 'public',
    summary: 'Takes up an invitation by its one-time token and signs the person in',
    body: z.strictObject({
      token: z.string().max(100),
      name: z.string().trim().min(1).max(120),
      /** Of a new person; without one they have only links to come in by. */
      password: z.string().min(1).max(128).optional(),
    }),
    reply: operatorView,
    async run({ body, facts }) {
      const invited = await identity.team.invited(body.token)
      if (invited === undefined) throw over()
      const { operatorId } = invited
      // Whoever made the invitation knows its link: it must not open the account of somebody who has one.
      if (operatorId !== undefined && (await identity.operatorBehind(facts))?.operatorId !== operatorId) {
        const problem = new Problem('unauthenticated', `Sign in as ${invited.email} first, then open the link again.`)
        await identity.notes.note(operatorId, { ...act(facts.ip), problem })
        throw problem
      }
      const password = operatorId === undefined ? body.password : undefined
      if (password !== undefined) identity.signIns.checkPassword(password, invited.email)
      const who = operatorId === undefined ? { name: body.name } : { operatorId }
      const accepted = await identity.team.accept(body.token, who)
      if (accepted === undefined) throw over()
      if (password !== undefined) await identity.signIns.setPassword(accepted, invited.email, password)
      const session = await identity.startSession(accepted, facts)
      await identity.notes.note(accepted, act(facts.ip))
      return signedInReply(session)
    },
  })
}

const over = () => new Problem('unauthenticated', 'This invitation was used already, was taken back or has expired.')
