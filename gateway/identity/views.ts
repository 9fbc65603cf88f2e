// What the routes of credentials answer with.

import { z } from 'zod'
import { abilities } from '../platform/access.ts'
import type { ApiKeyView, OperatorView, SiteKeyView, WidgetBootstrap } from '../protocol/rest.ts'
import type { InvitationView, MemberView, NewInvitationView, SecretView, SignInSessionView } from '../protocol/team.ts'

const at = z.iso.datetime()
const status = z.enum(['active', 'revoked'])

export const bootstrapReply = z
  .strictObject({
    token: z.string(),
    expiresAt: z.number().describe('Seconds since epoch.'),
    agent: z.strictObject({ slug: z.string(), name: z.string() }),
    brand: z.strictObject({ accent: z.string(), title: z.string(), logoUrl: z.string().exactOptional() }),
    texts: z.strictObject({
      greeting: z.string(),
      placeholder: z.string(),
      consent: z.string(),
      suggestions: z.array(z.string()),
    }),
    voice: z.boolean(),
  })
  .meta({ id: 'WidgetBootstrap' }) satisfies z.ZodType<WidgetBootstrap>

export const operatorView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    tenants: z.array(
      z.strictObject({
        ...{ id: z.string(), slug: z.string(), name: z.string(), role: z.string() },
        abilities: z.array(z.enum(abilities)).describe('What the caller may do there, on something at least.'),
      }),
    ),
    csrf: z.string().describe('Sent back as x-parley-csrf with every state-changing call.'),
  })
  .meta({ id: 'Operator' }) satisfies z.ZodType<OperatorView>

export const siteKeyView = z
  .strictObject({
    id: z.string(),
    key: z.string(),
    label: z.string(),
    agentSlug: z.string(),
    status,
    createdAt: at,
  })
  .meta({ id: 'SiteKey' }) satisfies z.ZodType<SiteKeyView>

export const apiKeyView = z
  .strictObject({
    id: z.string(),
    prefix: z.string(),
    label: z.string(),
    status,
    scopes: z.array(z.string()).describe('What it may do; with a role, what it may do of that at most.'),
    role: z.string().nullable(),
    agentIds: z.array(z.string()).describe('Empty: it is bound to none.'),
    expiresAt: at.nullable(),
    createdAt: at,
    lastUsedAt: at.nullable(),
  })
  .meta({ id: 'ApiKey' }) satisfies z.ZodType<ApiKeyView>

export const newApiKeyReply = apiKeyView.extend({ key: z.string() }).meta({ id: 'NewApiKey' })

export const memberView = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    roles: z.array(z.string()),
    createdAt: at,
  })
  .meta({ id: 'Member' }) satisfies z.ZodType<MemberView>

export const invitationView = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    roles: z.array(z.string()),
    status: z.enum(['open', 'accepted', 'revoked', 'expired']),
    invitedBy: z.string(),
    createdAt: at,
    expiresAt: at,
  })
  .meta({ id: 'Invitation' }) satisfies z.ZodType<InvitationView>

export const newInvitationView = invitationView
  .extend({ link: z.string().describe('Told this once.') })
  .meta({ id: 'NewInvitation' }) satisfies z.ZodType<NewInvitationView>

export const signInSessionView = z
  .strictObject({
    id: z.string(),
    createdAt: at,
    lastSeenAt: at,
    ip: z.string(),
    userAgent: z.string(),
    current: z.boolean(),
  })
  .meta({ id: 'SignInSession' }) satisfies z.ZodType<SignInSessionView>

export const secretView = z
  .strictObject({ name: z.string(), setAt: at, setBy: z.string() })
  .meta({ id: 'Secret' }) satisfies z.ZodType<SecretView>
