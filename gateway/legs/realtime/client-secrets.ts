// POST /v1/realtime/client_secrets, as the original has it: a customer's backend gets a short-lived token for one of its
// visitors, and may bind a session's settings to it. The agent's config is the authority for both.

import { z } from 'zod'
import type { Agents, Brief } from '../../agents/agents.ts'
import type { Identity } from '../../identity/identity.ts'
import { exactOrigin, type Route, route } from '../../platform/http.ts'
import { Problem } from '../../platform/problem.ts'
import { maxSlugChars } from '../../platform/slug.ts'
import { type Change, changeOf } from './session-change.ts'
import { type SessionFields, sessionFields } from './session-fields.ts'
import { sessionObject } from './session-object.ts'
import type { Policy } from './session-part.ts'

interface Deps {
  readonly identity: Pick<Identity, 'agentForSecret' | 'mintClientSecret'>
  readonly agents: Pick<Agents, 'resolve'>
}

const slug = z.string().min(1).max(maxSlugChars)
const body = z.strictObject({
  agent: slug.optional(),
  expires_after: z
    .strictObject({ anchor: z.literal('created_at').default('created_at'), seconds: z.int().min(10).max(7_200) })
    .optional(),
  session: sessionFields.extend({ agent: slug.optional() }).optional(),
  visitor: z
    .strictObject({ id: z.string().min(1).max(128).optional(), email: z.email().max(254).optional() })
    .optional(),
  origin: exactOrigin.optional(),
})

const reply = z
  .strictObject({
    value: z.string(),
    expires_at: z.number().describe('Seconds since epoch.'),
    /** As the original's session object, which grows with it. */
    session: z.looseObject({
      id: z.string(),
      type: z.literal('realtime'),
      object: z.literal('realtime.session'),
      model: z.string(),
      agent: z.string(),
    }),
  })
  .meta({ id: 'ClientSecret' })

/** Which engine will answer is known when the session opens: what it cannot do is refused there. */
const anyEngine: Policy['capabilities'] = {
  mutable: ['instructions', 'tools', 'voice', 'turnDetection', 'outputModality'],
  settings: [
    ...(['createsResponse', 'interruptsResponse', 'threshold', 'prefixPaddingMs', 'silenceMs'] as const),
    ...(['idleTimeoutMs', 'eagerness', 'transcription', 'noiseReduction', 'speed'] as const),
    ...(['toolChoice', 'maxOutputTokens'] as const),
  ],
  dialect: 'openai-realtime-ga',
}

export function clientSecretRoutes({ identity, agents }: Deps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/realtime/client_secrets',
      access: 'realtime.create',
      reply,
      summary: 'A customer’s backend gets a short-lived token for one of its visitors (as OpenAI’s client secrets)',
      body,
      async run({ body: asked, tenantId, actor }) {
        if (actor?.kind !== 'key') throw new Problem('forbidden', 'Client secrets are made with an API key.')
        const { agent: inSession, model, type, ...settings } = asked.session ?? {}
        const named = { agent: asked.agent ?? inSession, model }
        const entry = await identity.agentForSecret(tenantId, named)
        const brief = await agents.resolve({ tenantId, agentId: entry.id, channel: 'api', trusted: true })
        if (brief === undefined) throw new Problem('agent_inactive')
        const change = allowed({ ...settings, ...(type === undefined ? {} : { type }) }, brief)
        const secret = await identity.mintClientSecret({
          ...{ tenantId, keyId: actor.id, ...named },
          lifeSeconds: asked.expires_after?.seconds,
          origin: asked.origin,
          visitor: asked.visitor,
          session: Object.keys(settings).length === 0 ? undefined : JSON.stringify(settings),
        })
        const session = { ...secret.session, ...effective(change, brief), ...own(secret.session) }
        return { json: { ...secret, session }, headers: { 'cache-control': 'no-store' } }
      },
    }),
  ]
}

type Allowed = Extract<Change, { is: 'wanted' }>

function allowed(settings: SessionFields, brief: Brief): Allowed {
  const change = changeOf(settings, presentOf(brief), { brief, capabilities: anyEngine })
  if (change.is === 'wanted') return change
  const code = change.code === 'forbidden' ? 'forbidden' : 'unsupported'
  const path = change.param === null ? 'body.session' : `body.${change.param}`
  throw new Problem(code, change.message, { issues: [{ path, message: change.message }] })
}

function presentOf(brief: Brief) {
  const { voice, turnDetection: detection, settings } = brief
  return { instructions: undefined, tools: [], voice, modality: 'audio', detection, settings, native: {} } as const
}

function own({ id, model, agent }: { readonly id: string; readonly model: string; readonly agent: string }) {
  return { id, model, agent }
}

/** Each session of the secret begins with it. */
function effective({ fields, native, leg }: Allowed, brief: Brief): Readonly<Record<string, unknown>> {
  return sessionObject({
    sessionId: '',
    model: brief.model,
    voice: fields.voice ?? brief.voice,
    instructions: fields.instructions ?? '',
    tools: fields.tools ?? [],
    modality: fields.outputModality ?? 'audio',
    detection: fields.turnDetection ?? brief.turnDetection,
    settings: { ...brief.settings, ...fields.settings },
    native,
    inputFormat: leg.inputFormat ?? 'audio/pcm',
    outputFormat: leg.outputFormat ?? 'audio/pcm',
    transcripts: leg.transcripts ?? true,
  })
}
