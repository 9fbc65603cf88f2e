// One inbound message through its thirteen steps, by one owner, from wherever an owner before got to.

import { idOf } from '../platform/ids.ts'
import { asProblem, Problem } from '../platform/problem.ts'
import { citationsOf, stateOf } from '../tools/tools.ts'
import type { Conversation } from '../transcript/transcript.ts'
import type { Inner } from './deps.ts'
import { type Answer, noProgress, wholeText } from './inbound.ts'
import { type Job, Lost } from './job.ts'
import type { ChatReply } from './message.ts'
import { type Config, loadConfig } from './steps/admission.ts'
import { delegated } from './steps/delegation.ts'
import { think } from './steps/model.ts'
import { actionsOf, placesOf, replyTurnId, routeReply, saveTurns, saveUsage } from './steps/outcome.ts'
import { filterTools, history, systemPrompt, withTools } from './steps/prompt.ts'
import { contactOf, conversationOf } from './steps/session.ts'

export interface Run {
  /** Where steps 1 and 2 are done. */
  readonly config?: Config | undefined
  /** The message is first in its line already. */
  readonly inTurn: boolean
  readonly signal: AbortSignal
}

/** Owners that may try before a message nobody waits for is given up. */
export const maxAttempts = 5
const retryMs = 5_000

/** Throws the Problem of the step that failed, and Lost when the message has another owner. */
export async function answer(deps: Inner, job: Job, run: Run): Promise<ChatReply> {
  try {
    const conversation = await job.trace.step('session', () => sessionOf(deps, job, run))
    const reply = await replied(deps, job, { ...run, conversation })
    await record(deps, job, undefined)
    await job.end('done', { reply })
    return reply
  } catch (thrown) {
    if (thrown instanceof Lost) throw thrown
    const problem = asProblem(thrown)
    await failed(deps, job, problem)
    throw problem
  } finally {
    await leave(deps, job).catch(() => undefined)
  }
}

async function leave({ lines }: Inner, { inbound }: Job): Promise<void> {
  const { tenantId, id, conversationId } = inbound
  if (conversationId !== undefined) await lines.leave({ tenantId, conversationId, id })
}

/** The conversation, and this message's turn in it. */
async function sessionOf(deps: Inner, job: Job, { inTurn }: Run): Promise<Conversation> {
  const found = await conversationOf(deps, job.inbound)
  if (job.inbound.conversationId === undefined) await job.save({ conversationId: found.id })
  const { tenantId, id } = job.inbound
  if (!inTurn) await deps.lines.enter({ tenantId, conversationId: found.id, id })
  // While it waited, a person may have taken over.
  return (await deps.transcript.of(tenantId).conversations.get(found.id)) ?? found
}

type Ready = Run & { readonly conversation: Conversation }

async function replied(deps: Inner, job: Job, run: Ready): Promise<ChatReply> {
  const { trace } = job
  const stored = job.inbound.answer
  await settled(deps, job)
  const isHandedOff = run.conversation.status === 'handed_off' && stored === undefined
  const made = isHandedOff ? await noted(deps, job) : (stored ?? (await thoughtOf(deps, job, run)))
  const final = made === undefined || stored !== undefined ? made : await unlessHandedOff(deps, job, made)
  await trace.step('save_messages', () => saveTurns(deps, { inbound: job.inbound, answer: final }))
  // The next message needs the turns only; where replies are sent, they are sent in order too.
  if (deps.routes.get(job.inbound.channel) === undefined) await leave(deps, job)
  if (final === undefined) return handedOff(deps, job)
  const charged = await trace.step('deduct_credits', () => charge(deps, job, final))
  await trace.step('route_reply', () => routeReply(deps, job.inbound, final))
  return replyOf(job, final, charged.amountMicro)
}

/** The turn of the call that it is about shows how that ended. */
async function settled({ transcript }: Inner, { inbound }: Job): Promise<void> {
  const { tenantId, conversationId = '', asked } = inbound
  if (asked.outcome === undefined) return
  const { callId, output } = asked.outcome
  await transcript.of(tenantId).settleCall({ conversationId, callId }, { output, state: stateOf(asked.outcome) })
}

/** Somebody asked: a failure is theirs to hear. Nobody asked: what is to be told is told plainly then. */
async function thoughtOf(deps: Inner, job: Job, run: Ready): Promise<Answer> {
  const { outcome } = job.inbound.asked
  if (outcome === undefined) return thought(deps, job, run)
  try {
    const made = await thought(deps, job, run)
    // A demo has no words of its own.
    if (made.model !== 'demo' && wholeText(made).trim() !== '') return made
  } catch (thrown) {
    if (thrown instanceof Lost || mayPass.has(asProblem(thrown).code)) throw thrown
    job.note('told', `plainly: ${asProblem(thrown).code}`)
  }
  return plain(deps, job, outcome.plain)
}

/** Of our own making: the model is there, and the store is not. */
const mayPass: ReadonlySet<string> = new Set(['unavailable', 'internal', 'draining'])

/** Without a model and without a charge. */
async function plain(deps: Inner, job: Job, text: string): Promise<Answer> {
  const made: Answer = {
    ...{ ...noProgress, text, finish: 'stop', toolCalls: [], actions: [], seq: await placed(deps, job, 1) },
    at: new Date(deps.clock.now()).toISOString(),
  }
  await job.save({ answer: made })
  return made
}

/** Steps 4 to 10. */
async function thought(deps: Inner, job: Job, { config, signal }: Ready): Promise<Answer> {
  const { trace } = job
  const { brief: own } = config ?? (await trace.step('load_config', () => loadConfig(deps, job.inbound)))
  await trace.step('contact', () => linked(deps, job))
  const ownPrompt = await trace.step('system_prompt', () => systemPrompt(deps, own, job.inbound))
  const messages = await trace.step('history', async () => {
    if (job.inbound.seq === undefined) job.learn({ seq: await placed(deps, job, 1) })
    return history(deps, job.inbound)
  })
  const ownTools = await trace.step('filter_tools', () => filterTools(deps, own, job.inbound))
  await trace.step('credit_preflight', () => reserve(deps, job, own.limits))
  const { messageId, conversationId = '' } = job.inbound
  job.on({ type: 'accepted', messageId, conversationId })
  // Whose matter it is costs tokens of its own: asked once there is credit for the message.
  const isAsked = job.inbound.asked.outcome === undefined
  const brief = isAsked ? await delegated(deps, job, { brief: own, signal }) : own
  const isOwn = brief === own
  const system = isOwn ? ownPrompt : await systemPrompt(deps, brief, job.inbound)
  const offered = isOwn ? ownTools : await filterTools(deps, brief, job.inbound)
  const { clientCalls, ...said } = await think(deps, job, {
    ...{ brief, system: withTools(system, offered), messages, offered, signal },
  })
  if (said.rounds.length === 0) trace.skip('tool_calls')
  const made: Answer = {
    ...said,
    toolCalls: clientCalls.map(({ callId, name, arguments: args }) => ({ callId, name, arguments: args })),
    actions: actionsOf(said),
    seq: await placed(deps, job, placesOf(said)),
    at: new Date(deps.clock.now()).toISOString(),
  }
  // From here on the model is not asked again, whatever happens.
  await job.save({ answer: made })
  return made
}

async function linked(deps: Inner, job: Job): Promise<void> {
  const { tenantId, conversationId = '' } = job.inbound
  const contactId = await contactOf(deps, job.inbound)
  if (contactId === undefined) return
  await deps.transcript.of(tenantId).conversations.link(conversationId, contactId)
  if (job.inbound.contactId === undefined) job.learn({ contactId })
}

function placed({ transcript }: Inner, { inbound }: Job, count: number): Promise<number> {
  return transcript.of(inbound.tenantId).conversations.place(inbound.conversationId ?? '', count)
}

async function reserve(deps: Inner, job: Job, agentLimits: Config['brief']['limits']): Promise<void> {
  const { tenantId, agentId, id, round, attempts, reservation } = job.inbound
  if (reservation !== undefined) {
    if (await deps.usage.keepReserved({ tenantId, reservation })) return
    // Its owner was dead for so long that the janitor gave it back.
    await giveBack(deps, job)
  }
  const answer = await deps.usage.reserve({
    ...{ tenantId, agentId, agentLimits, pieceId: id, owner: deps.nodeId },
    holdId: idOf('hold', id, String(round), ...(reservation === undefined ? [] : [String(attempts)])),
    action: { is: 'message', weight: 'simple' },
  })
  if (answer.is === 'reserved') {
    const made = answer.reservation
    // Tools of an owner before were paid by the reservation that is gone.
    for (const [i, { reserved }] of (job.inbound.progress?.rounds ?? []).entries())
      if (reserved !== null)
        await deps.usage.reserveMore({ tenantId, reservation: made }, { n: i + 1, amountMicro: reserved })
    return job.save({ reservation: made })
  }
  if (answer.is === 'refused') throw new Problem(answer.code, undefined, { retryAfterMs: answer.retryAfterMs })
  if (answer.is === 'too_many') throw new Problem('too_many', undefined, { retryAfterMs: retryMs })
  throw new Problem('out_of_credit')
}

async function charge(deps: Inner, job: Job, made: Answer) {
  const { inbound } = job
  const { tenantId, agentId, channel, reservation } = inbound
  const { actions, used } = made
  if (reservation === undefined) {
    if (actions.length > 0) throw new Error(`the message ${inbound.id} was answered without a reservation`)
    return { amountMicro: 0, costUsdMicro: 0 }
  }
  const charged = await deps.usage.chargeReserved({
    ...{ tenantId, agentId, channel, reservation, actions, used },
    note: `answer in conversation ${inbound.conversationId ?? ''}`,
  })
  await saveUsage(deps, { inbound, answer: made }, charged)
  job.learn({ charged })
  return charged
}

/** A person answers here: the message is theirs to read. */
async function noted(deps: Inner, job: Job): Promise<undefined> {
  await job.trace.step('contact', () => linked(deps, job))
  if (job.inbound.seq === undefined) job.learn({ seq: await placed(deps, job, 1) })
}

/** Somebody may have taken over while the model was thinking: its answer is not said then, and not charged. */
async function unlessHandedOff(deps: Inner, job: Job, made: Answer): Promise<Answer | undefined> {
  const { tenantId, conversationId = '' } = job.inbound
  const now = await deps.transcript.of(tenantId).conversations.get(conversationId)
  return now?.status === 'handed_off' ? undefined : made
}

async function handedOff(deps: Inner, job: Job): Promise<ChatReply> {
  await giveBack(deps, job)
  const { messageId, conversationId = '' } = job.inbound
  const nothing = {
    turnId: '',
    text: '',
    toolCalls: [],
    visuals: [],
    citations: [],
    usage: noProgress.usage,
    creditsMicro: 0,
    model: '',
  }
  return { ...nothing, messageId, conversationId, finish: 'handed_off', delegations: [], steps: job.trace.steps }
}

function replyOf({ inbound, trace }: Job, made: Answer, creditsMicro: number): ChatReply {
  const { messageId, conversationId = '' } = inbound
  const { toolCalls, finish, usage, model } = made
  return {
    ...{ conversationId, messageId, turnId: replyTurnId(inbound), text: wholeText(made), toolCalls, finish, usage },
    visuals: shownBy(made),
    ...{ creditsMicro, model, delegations: inbound.delegations ?? [], steps: trace.steps },
    citations: citationsOf(made.ran, wholeText(made)),
  }
}

/** Each id once, as it was last told. */
function shownBy({ ran }: Pick<Answer, 'ran'>): ChatReply['visuals'] {
  return [...new Map(ran.flatMap(({ visual }) => (visual === undefined ? [] : [[visual.id, visual]]))).values()]
}

async function giveBack({ usage }: Inner, { inbound }: Job): Promise<void> {
  const { tenantId, agentId, reservation } = inbound
  if (reservation !== undefined) await usage.giveBack({ tenantId, agentId, reservation })
}

/** What was taken goes back, and the failure is kept; where nobody waits for the answer it is tried again later. */
async function failed(deps: Inner, job: Job, problem: Problem): Promise<void> {
  const { code, message, details, kind } = problem
  const { inbound } = job
  deps.log[kind.level === 'error' ? 'error' : 'info'](
    {
      tenantId: inbound.tenantId,
      messageId: inbound.id,
      code,
      ...(kind.level === 'error' ? { err: details.cause } : {}),
    },
    'a message was not answered',
  )
  try {
    // A stored answer is charged and sent sooner or later: its reservation stays.
    const isAnswered = inbound.answer !== undefined
    const isAwaited = deps.routes.get(inbound.channel) === undefined
    const mayPass = isAnswered || (!isAwaited && kind.retry !== 'never')
    if (!isAnswered) await giveBack(deps, job)
    if (mayPass && inbound.attempts < maxAttempts) {
      await job.postpone(new Date(deps.clock.now() + retryMs * inbound.attempts), !isAnswered)
      return
    }
    if (!isAwaited && !isAnswered) await keepQuestion(deps, job)
    await record(deps, job, problem)
    await job.end('failed', { failure: { code, message, retryAfterMs: details.retryAfterMs } })
  } catch (error) {
    // The store is not there: the lease runs out, and somebody goes on.
    if (!(error instanceof Lost))
      deps.log.warn({ err: error, messageId: inbound.id }, 'a failure could not be written down')
  }
}

/** Given up: people read what was asked all the same. */
async function keepQuestion(deps: Inner, job: Job): Promise<void> {
  const { conversationId, seq } = job.inbound
  if (conversationId === undefined) return
  if (seq === undefined) job.learn({ seq: await placed(deps, job, 1) })
  await saveTurns(deps, { inbound: job.inbound, answer: undefined })
}

/** Once per attempt; figures only, nothing of what was said. Without one the message is answered all the same. */
async function record(deps: Inner, { inbound, trace, notes }: Job, problem: Problem | undefined): Promise<void> {
  const { id, tenantId, agentId, conversationId = '', channel, round, answer: made, receivedAt } = inbound
  const { usage, model } = made ?? inbound.progress ?? noProgress
  const at = model.indexOf('/')
  try {
    await deps.executions.of(tenantId).record({
      ...{ id: idOf('exec', id, String(round)), agentId, conversationId, sessionId: id, channel, ...usage },
      ...{ provider: at < 0 ? model : model.slice(0, at), model: at < 0 ? model : model.slice(at + 1) },
      latencyMs: Math.max(0, deps.clock.now() - Date.parse(receivedAt)),
      // What a provider charges for an answer that failed is not known.
      costUsdMicro: inbound.charged === undefined ? (model === '' ? 0 : null) : inbound.charged.costUsdMicro,
      creditsMicro: inbound.charged?.amountMicro ?? 0,
      status: problem === undefined ? 'completed' : 'failed',
      ...(problem === undefined ? {} : { error: problem.code }),
      steps: [
        ...trace.steps.map(({ name, ms, outcome, code }) => ({ name, ms, outcome: code ?? outcome })),
        ...notes.map((note) => ({ ms: 0, ...note })),
      ],
    })
  } catch (error) {
    deps.log.warn({ err: error, tenantId, messageId: id }, 'an execution was not recorded')
  }
}
