// Every slice with what it needs of the others: what comes back (a voice, a finished session) is joined here. With app.ts
// and routes.ts the composition root, the only files that know every slice.

import { createHmac } from 'node:crypto'
import type { Db } from 'mongodb'
import { agentCollections, type Brief, createAgents, wishOf } from './agents/agents.ts'
import { type Chat, type ChatDeps, chatCollections, createChat } from './chat/chat.ts'
import { openAiCollections } from './chat/openai/routes.ts'
import type { Config } from './config.ts'
import { createCascade } from './engines/cascade/cascade.ts'
import { createTextEngine, type TextEngineNeeds, textModelsOf } from './engines/cascade/written.ts'
import { createDemo, createHoldingLine } from './engines/demo/demo.ts'
import { createVoice, type Voice } from './engines/demo/voice.ts'
import type { EngineFactory, EngineKind, OpenSteady, TextModels } from './engines/engines.ts'
import { createGeminiLive } from './engines/gemini-live/gemini-live.ts'
import { createOpenAiLive } from './engines/openai-live/openai-live.ts'
import { createOpenAiRealtime } from './engines/openai-realtime/openai-realtime.ts'
import { createEngines } from './engines/registry.ts'
import { createSteady } from './engines/steady/steady.ts'
import { problemOf } from './engines/text/choice.ts'
import { Health } from './engines/text/order.ts'
import { createTextModels } from './engines/text/text-models.ts'
import { needsKey } from './engines/upstream/address.ts'
import { createEntities, entityCollections } from './entities/entities.ts'
import { createEvents, type Events, type EventsDeps, eventCollections } from './events/events.ts'
import { createExecutions, executionCollections } from './executions/executions.ts'
import { createIdentity, type Identity, identityCollections } from './identity/identity.ts'
import { createLocalKeys } from './identity/secrets/key-service.ts'
import { embeddingPlan } from './knowledge/embeddings/settings.ts'
import { createKnowledge, knowledgeCollections } from './knowledge/knowledge.ts'
import { createLedger, ledgerCollections } from './ledger/ledger.ts'
import { createObjects, objectCollections } from './objects/objects.ts'
import { createBus } from './platform/bus.ts'
import type { Clock } from './platform/clock.ts'
import { parseAllow } from './platform/fetch-guard/allow.ts'
import { createFetchGuard, type FetchGuard, hostAndPort } from './platform/fetch-guard/fetch-guard.ts'
import { createResolve, type Resolve } from './platform/fetch-guard/resolve.ts'
import { idOf, newId } from './platform/ids.ts'
import type { Log } from './platform/log.ts'
import type { MongoOptions } from './platform/mongo.ts'
import { Problem } from './platform/problem.ts'
import { createSessions, type Sessions, type SessionsDeps, sessionCollections } from './sessions/sessions.ts'
import type { GatewayKeys, Stores } from './stores.ts'
import { createTenants, type Tenants, tenantCollections } from './tenants/tenants.ts'
import { type ApprovalOutlets, type Approvals, createApprovals } from './tools/approvals/approvals.ts'
import { createCodeExecutor } from './tools/code/code.ts'
import { createEffects, type Effects, type EffectsDeps, effectCollections } from './tools/effects.ts'
import { type AskInside, createHttpExecutor } from './tools/http/http.ts'
import { createMcp, type Mcp, type McpDeps, mcpCollections } from './tools/mcp/mcp.ts'
import { createCalCom } from './tools/providers/cal-com.ts'
import { workflowTimeoutMs } from './tools/providers/n8n.ts'
import type { Fetch } from './tools/providers/outside-call.ts'
import { providerSettings } from './tools/providers/settings.ts'
import { createTools, type Rights, type Tools, type ToolsDeps, toolCollections } from './tools/tools.ts'
import { createTranscript, transcriptCollections, type Wal } from './transcript/transcript.ts'
import { createUsage, usageCollections } from './usage/usage.ts'
import { createWebhooks, type WebhooksDeps, webhookCollections } from './webhooks/webhooks.ts'

export const collections = [
  ...tenantCollections,
  ...objectCollections,
  ...agentCollections,
  ...identityCollections,
  ...knowledgeCollections,
  ...entityCollections,
  ...eventCollections,
  ...executionCollections,
  ...toolCollections,
  ...mcpCollections,
  ...webhookCollections,
  ...effectCollections,
  ...transcriptCollections,
  ...ledgerCollections,
  ...usageCollections,
  ...sessionCollections,
  ...chatCollections,
  ...openAiCollections,
]

/** What tests exchange. */
export interface Outside {
  readonly clock: Clock
  readonly log: Log
  /** Sees every command that goes to the truth store. */
  readonly onCommand?: MongoOptions['onCommand']
  /** Awaited in the middle of each step of a message: for tests that stop the process there. */
  readonly onChatStep?: ChatDeps['onStep']
  /** Names into addresses, for what tenants name. */
  readonly resolve?: Resolve
  /** Replies of these channels leave through these. */
  readonly replyRoutes?: ChatDeps['routes']
}

export type Slices = ReturnType<typeof createSlices>

export interface Process extends GatewayKeys {
  readonly wal?: Wal
  /** Its own routes, once they are there. */
  readonly askInside?: AskInside
  /** The port it listens on, once it does. */
  readonly port?: () => number | undefined
}

export function createSlices(config: Config, stores: Stores, outside: Outside & Process) {
  const { clock, log, secret, wal } = outside
  const nodeId = newId('node')
  const [{ db }, { redis }] = [stores.mongo, stores.redis]
  const bus = createBus({ redis, nodeId, log, clock })
  const guard = guardOf(config, outside)
  const tenants = createTenants({ db })
  const objects = createObjects({ db })
  const agents = createAgents({
    ...{ db, tenants, objects },
    modelProblem: (named) => problemOf(config.text, named),
    readOnly: async (tenantId, names) => tools.readOnly(tenantId, names),
  })
  const identity = createIdentity({
    ...{ db, tenants, agents, clock, secret, log, publicUrl: publicUrl(config), outside: config.outside },
    keyService: createLocalKeys(outside.masterKeys),
  })
  const knowledge = createKnowledge({ db, clock, log, nodeId, guard, embeddings: embeddingPlan(config) })
  const { entities, events } = entitiesAndEvents(db, clock, (tenantId, event) => webhooks.onEvent(tenantId, event))
  const webhooks = createWebhooks({ ...{ db, clock, log, guard, events }, secrets: signingSecrets(identity) })
  const executions = createExecutions({ db, clock })
  const transcript = createTranscript({ db, clock, log, ...(wal === undefined ? {} : { wal }) })
  const health = new Health(clock, log)
  const writing = { models: createTextModels({ plan: config.text, knowledge, clock, health }), health }
  const effects = effectsOf(config, guard, { clock, log, db, entities, events, identity, transcript, ...writing })
  const httpTools = httpToolsOf(outside, { guard, identity })
  const mcp = mcpOf(config, { db, clock, log, guard, identity, tenants, tools: () => tools })
  const tools: Tools = createTools({
    ...{ db, identity, entities, events, knowledge, log, clock, effects, models: writing.models },
    ...{ outside: calComOf(config, identity), rights: rightsBy(identity) },
    ...{ executors: [httpTools, codeToolsOf(config, clock), mcp.executor], park: (call) => approvals.park(call) },
    visualHosts: config.PARLEY_VISUAL_HOSTS ?? [],
    // Sessions stand above tools: asked when a page is wanted.
    pageActions: ({ tenantId, ...action }) => sessions.of(tenantId).askPage(action),
  })
  const ledger = createLedger({ db, clock })
  const usage = createUsage({ db, redis, ledger, clock, log })
  const { engines, openEngine } = enginesBy(config, { clock, log, knowledge, writing })
  const sessions: Sessions = createSessions({
    ...{ db, clock, log, nodeId, bus, transcript, usage, ledger, tools },
    openBus: (channel) => createBus({ redis, nodeId: channel, log, clock }),
    // The in-process Redis reaches nobody else.
    hasPeers: stores.redis.kind !== 'embedded',
    drainMs: config.PARLEY_DRAIN_SECONDS * 1000,
    enginesFor: (brief: Brief) => engines.chain(kindFor(brief, writing.models), brief.fallbackEngines),
    openEngine,
    notAllowed: (pairs) => identity.stillAllowed(pairs),
    notAnswering: (pairs) => agents.notAnswering(pairs),
    onOutcome: (tenantId, approvalId) => approvals.attend(tenantId, approvalId),
    emailHashes: (tenantId, contactIds) => identity.emailHashes(tenantId, contactIds),
    onEnded: tellEnd(events, log),
  })
  const chat = createChat({
    ...{ db, clock, log, nodeId, tenants, agents, identity, transcript, usage, tools, executions },
    ...{ models: writing.models, routes: outside.replyRoutes ?? new Map(), onStep: outside.onChatStep },
    systemFor: (text) => knowledge.systemFor(text),
  })
  const approvals: Approvals = createApprovals({
    ...{ db, clock, log, nodeId, agents, usage, events, runApproved: (call) => tools.runApproved(call) },
    toolNamed: (tenantId, name) => tools.of(tenantId).get(name),
    outlets: outletsBy(sessions, chat),
  })
  const records = { objects, knowledge, entities, events, executions, transcript, ledger, webhooks }
  const own = { tools, effects, approvals, mcp, httpTools, guard }
  const acting = { ...own, usage, engines, textModels: writing.models, sessions, chat, bus }
  return { tenants, agents, identity, ...records, ...acting }
}

function enginesBy(config: Config, deps: Pick<Outside, 'clock' | 'log'> & DemoKnows & { readonly writing: Writing }) {
  const { clock, log } = deps
  const voice = createVoice({ log })
  const openEngine = createSteady({ clock, log, random: Math.random, holdingLine: createHoldingLine(voice) })
  const factories = engineFactories(config, { ...deps, voice, openEngine })
  return { engines: createEngines(factories, { clock, log, forced: config.PARLEY_ENGINE }), openEngine }
}

/** Each of the two asks the other: events who sees an entity, entities where their changes are told. */
function entitiesAndEvents(db: Db, clock: Clock, onEvent: NonNullable<EventsDeps['onEvent']>) {
  const entities = createEntities({
    db,
    clock,
    events: { append: (tenantId, list) => events.of(tenantId).append(list) },
  })
  const events: Events = createEvents({ db, clock, onEvent, unseen: (auth, refs) => entities.unseen(auth, refs) })
  return { entities, events }
}

/** Webhooks sign by secrets that are kept as the tenant's others are; a name with a slash is nobody's to choose. */
function signingSecrets({ secrets }: Identity): WebhooksDeps['secrets'] {
  const name = (endpointId: string) => `webhook/${endpointId}`
  return {
    get: (tenantId, id) => secrets.of(tenantId).get(name(id)),
    put: (tenantId, id, value) => secrets.of(tenantId).put(name(id), value, 'Parley'),
    remove: (tenantId, id) => secrets.of(tenantId).remove(name(id)),
  }
}

function tellEnd(events: Events, log: Log): NonNullable<SessionsDeps['onEnded']> {
  const actor = { kind: 'system', id: 'gateway', name: 'Parley' } as const
  return ({ tenantId, sessionId, reason }) => {
    const id = idOf('evt', tenantId, 'session.ended', sessionId)
    const told = events.of(tenantId).emit({ id, type: 'session.ended', actor, payload: { sessionId, reason } })
    told.catch((error: unknown) =>
      log.warn({ err: error, tenantId, sessionId }, 'the end of a session is not in the log'),
    )
  }
}

/** Tools of MCP servers are among the tenant's own tools: each of the two needs the other. */
function mcpOf(
  { mcpProcesses: processes }: Config,
  deps: Pick<McpDeps, 'db' | 'clock' | 'log' | 'guard'> & {
    readonly identity: Identity
    readonly tenants: Tenants
    readonly tools: () => Tools
  },
): Mcp {
  const { identity, tenants, tools } = deps
  return createMcp({
    ...{ ...deps, processes },
    secret: (tenantId, name) => identity.secrets.of(tenantId).get(name),
    slugOf: async (tenantId) => (await tenants.byId(tenantId))?.slug,
    descriptors: {
      named: async (tenantId, names) => (await tools().of(tenantId).list()).filter(({ name }) => names.includes(name)),
      put: (tenantId, list) => tools().of(tenantId).put(list),
      remove: (tenantId, name) => tools().of(tenantId).remove(name),
    },
  })
}

/** The way out, for what tenants name. */
function guardOf(config: Config, outside: Outside & Process): FetchGuard {
  return createFetchGuard({
    mark: createHmac('sha256', outside.secret).update('requests of this gateway').digest('hex').slice(0, 32),
    ...{ clock: outside.clock, log: outside.log, resolve: outside.resolve ?? createResolve() },
    allow: config.PARLEY_FETCH_ALLOW ?? parseAllow(''),
    own: () => ({ hosts: [hostAndPort(publicUrl(config))], port: outside.port?.() }),
  })
}

function outletsBy(sessions: Sessions, chat: Chat): ApprovalOutlets {
  return {
    toSession: ({ tenantId, sessionId }, outcome) => sessions.of(tenantId).tell(sessionId, outcome),
    async toConversation({ tenantId, agent, channel, conversationId, contactId, origin, sessionId }, outcome) {
      const inboundId = origin === 'message' ? sessionId : undefined
      try {
        const news = { agentId: agent.id, channel, conversationId, contactId, inboundId, outcome }
        await chat.of(tenantId).tell(news)
        return 'told'
      } catch (thrown) {
        if (thrown instanceof Problem && ['not_found', 'conflict', 'gone'].includes(thrown.code)) return 'lost'
        throw thrown
      }
    },
    onChange: (tenantId, make) => sessions.of(tenantId).announce(() => ({ is: 'approval', approval: make() })),
  }
}

/** A resource that names an event type at Cal.com stands in the tenant's calendar there, once the tenant has a key. */
function calComOf(config: Config, { secrets }: Identity): NonNullable<ToolsDeps['outside']> {
  return async (tenantId, { calComEventTypeId: eventTypeId }, signal) => {
    const apiKey = eventTypeId === undefined ? undefined : await secrets.of(tenantId).get('CALCOM_API_KEY')
    if (eventTypeId === undefined || apiKey === undefined) return undefined
    const asking: Fetch = (url, init) => fetch(url, init)
    return createCalCom({ fetch: asking, baseUrl: config.CALCOM_BASE_URL, apiKey, eventTypeId, signal })
  }
}

type EffectsNeeds = Pick<
  EffectsDeps,
  'db' | 'entities' | 'events' | 'identity' | 'transcript' | 'models' | 'clock' | 'log'
>

function effectsOf(config: Config, guard: FetchGuard, needs: EffectsNeeds): Effects {
  return createEffects({
    ...{ ...needs, publicUrl: publicUrl(config), settings: providerSettings(config) },
    fetch: (url, init) => fetch(url, init),
    guarded: (tenantId) => guard.as({ tenantId, lane: 'workflows', limits: { totalMs: workflowTimeoutMs } }),
  })
}

function rightsBy({ authFor, authOf }: Identity): Rights {
  return {
    agent: (tenantId, agent) => authFor.agent(tenantId, agent),
    caller: authOf,
    system: (tenantId, actor) => authFor.system(tenantId, actor),
  }
}

function codeToolsOf({ TOOL_EXECUTOR_URL: url, TOOL_EXECUTOR_SECRET: secret }: Config, clock: Clock) {
  return createCodeExecutor({
    executor: url === undefined || secret === undefined ? undefined : { url, secret },
    clock,
  })
}

function httpToolsOf(
  outside: Process,
  { guard, identity }: { readonly guard: FetchGuard; readonly identity: Identity },
) {
  return createHttpExecutor({
    guard,
    secretOf: (tenantId, name) => identity.secrets.of(tenantId).get(name),
    // A script has no routes.
    askInside: outside.askInside ?? (() => Promise.reject(new Problem('unavailable'))),
  })
}

/** An agent that is only written to needs no voice: its text models answer, where there are any but the demo's. */
function kindFor(brief: Brief, models: TextModels): EngineKind | 'auto' {
  return brief.speaks || textModelsOf(models, { text: wishOf(brief) })[0]?.demo !== false ? brief.engine : 'text'
}

type DemoKnows = Pick<Parameters<typeof createDemo>[0], 'knowledge'>
type Writing = Pick<TextEngineNeeds, 'models' | 'health'>

function engineFactories(
  config: Config,
  deps: Outside &
    Parameters<typeof createDemo>[0] & {
      readonly voice: Voice
      readonly openEngine: OpenSteady
      readonly writing: Writing
    },
): EngineFactory[] {
  const openai = createOpenAiRealtime({
    apiKey: config.OPENAI_API_KEY,
    baseUrl: config.OPENAI_BASE_URL,
    defaultModel: config.OPENAI_REALTIME_MODEL,
    transcriptionModel: config.OPENAI_TRANSCRIPTION_MODEL,
    log: deps.log,
    clock: deps.clock,
  })
  const gemini = createGeminiLive({
    apiKey: config.GEMINI_API_KEY,
    baseUrl: config.GEMINI_BASE_URL,
    defaultModel: config.GEMINI_LIVE_MODEL,
    log: deps.log,
    clock: deps.clock,
  })
  const demo = createDemo(deps)
  const text = createTextEngine({ ...deps.writing, clock: deps.clock, log: deps.log })
  const behind = config.text.own.length > 0 ? text : openai.off === undefined ? openai : demo
  return [
    openai,
    liveFactory(config, deps, behind),
    gemini,
    createCascade({ ...deps, plan: config.cascade }),
    demo,
    // Last: `auto` is about voices.
    text,
  ]
}

/** GPT-Live, with an engine of ours at work behind the voice. */
function liveFactory(
  config: Config,
  deps: Outside & { readonly openEngine: OpenSteady; readonly writing: Writing },
  behind: EngineFactory,
): EngineFactory {
  const backendModel = config.OPENAI_LIVE_RESPONSES_MODEL
  return createOpenAiLive({
    apiKey: config.OPENAI_API_KEY,
    baseUrl: config.OPENAI_LIVE_BASE_URL ?? config.OPENAI_BASE_URL,
    isOffered: config.OPENAI_LIVE_BASE_URL !== undefined || needsKey(config.OPENAI_BASE_URL),
    defaultModel: config.OPENAI_LIVE_MODEL,
    ...(backendModel === undefined ? {} : { backendModel }),
    // It outlives the connections of its provider, as the voice in front of it does.
    desk: {
      model: behind.defaultModel,
      ...(behind.kind === 'text'
        ? { modelOf: (brief) => textModelsOf(deps.writing.models, brief)[0]?.model ?? behind.defaultModel }
        : {}),
      open: (options, history) => deps.openEngine({ ...options, factories: [behind], history }),
    },
    log: deps.log,
    clock: deps.clock,
  })
}

/** Issuer of the visitors' tokens: must not change with the port a test happens to get. */
export function publicUrl(config: Config): string {
  return config.PUBLIC_URL ?? `http://localhost:${config.PORT}`
}
