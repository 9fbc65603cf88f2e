// Steps 9 and 10: the model answers, its tools run, it answers again; bounded, and stored before each round of tools.

import type { Brief } from '../../agents/agents.ts'
import type { Call, Message, TextChoice, TextUse, TextWish } from '../../engines/engines.ts'
import { idOf } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { ChatFinish } from '../../protocol/chat.ts'
import type { Action } from '../../usage/usage.ts'
import type { ChatDeps } from '../deps.ts'
import { type Asked, gap, noProgress, type Progress, type RanCall, type Round } from '../inbound.ts'
import type { Job } from '../job.ts'
import { maxCalls, maxIterations, type Thinking } from './thinking.ts'
import { took } from './took.ts'
import { runCalls } from './tool-calls.ts'

/** All of it. Beyond that nobody waits. */
const answerMs = 180_000
/** A model that still asks for tools when it has none any more. */
const stuck = 'I could not finish this. Please ask me again in other words.'

export interface Thought extends Progress {
  readonly text: string
  readonly finish: ChatFinish
  /** Of the last answer: calls that the caller runs. */
  readonly clientCalls: readonly Call[]
}

export async function think(deps: ChatDeps, job: Job, thinking: Thinking): Promise<Thought> {
  const late = new AbortController()
  const timer = deps.clock.after(answerMs, () => late.abort(new Problem('timeout', 'The answer took too long.')))
  const signal = AbortSignal.any([thinking.signal, late.signal])
  try {
    return await rounds(deps, job, { ...thinking, signal })
  } finally {
    timer.cancel()
  }
}

async function rounds(deps: ChatDeps, job: Job, thinking: Thinking): Promise<Thought> {
  const { offered } = thinking
  let progress = job.inbound.progress ?? noProgress
  for (;;) {
    // Of an owner before: what it had asked for is run, what it had run is kept.
    const open = progress.rounds.at(-1)
    if (open?.calls.some((call) => !hasRun(progress, call)))
      progress = await job.trace.step('tool_calls', () => runCalls(deps, job, { ...thinking, progress }))
    const isLast = progress.rounds.length >= maxIterations - 1 || progress.ran.length >= maxCalls
    const said = await job.trace.step('model', () => ask(deps, job, { ...thinking, progress, isLast }))
    progress = { ...progress, ...said.took }
    const clientCalls = said.calls.filter((call) => offered.client.has(call.name))
    const calls = isLast ? [] : said.calls.filter((call) => !offered.client.has(call.name))
    if (calls.length === 0) {
      const isStuck = said.text === '' && said.calls.length > 0 && clientCalls.length === 0
      const text = isStuck ? tell(job, progress) : said.text
      return { ...progress, text, finish: finishOf(said.reason, clientCalls), clientCalls }
    }
    const round: Round = { text: said.text, calls, reserved: await reserved(deps, job, progress, calls) }
    progress = { ...progress, rounds: [...progress.rounds, round] }
    await job.save({ progress })
    progress = await job.trace.step('tool_calls', () => runCalls(deps, job, { ...thinking, progress }))
    if (clientCalls.length > 0) return { ...progress, text: '', finish: 'tool_calls', clientCalls }
  }
}

const hasRun = ({ ran }: Progress, call: Call): boolean => ran.some((each) => each.call.callId === call.callId)

function finishOf(reason: 'stop' | 'length' | 'content_filter', clientCalls: readonly Call[]): ChatFinish {
  return clientCalls.length > 0 ? 'tool_calls' : reason
}

function tell(job: Job, progress: Progress): string {
  job.on({ type: 'text', delta: gap(saidBefore(progress), stuck) + stuck })
  return stuck
}

function saidBefore({ rounds: before }: Progress): string {
  return before.findLast((round) => round.text !== '')?.text ?? ''
}

/** Null: there is no credit for them. The first round makes a simple message a complex one. */
async function reserved(
  { usage }: ChatDeps,
  { inbound }: Job,
  progress: Progress,
  calls: readonly Call[],
): Promise<number | null> {
  const { reservation, tenantId } = inbound
  if (reservation === undefined) return null
  const room = Math.max(0, maxCalls - progress.ran.length)
  const tools = calls.slice(0, room).map(({ name }): Action => ({ is: 'tool', name }))
  const more = progress.rounds.some((round) => round.reserved !== null) ? 0 : await complexity(usage)
  const amountMicro = more + (await usage.priceOf(tools))
  const n = progress.rounds.length + 1
  return (await usage.reserveMore({ tenantId, reservation }, { n, amountMicro })) ? amountMicro : null
}

async function complexity(usage: ChatDeps['usage']): Promise<number> {
  const price = (weight: 'simple' | 'complex') => usage.priceOf([{ is: 'message', weight }])
  return Math.max(0, (await price('complex')) - (await price('simple')))
}

interface Said {
  readonly text: string
  readonly calls: readonly Call[]
  readonly reason: 'stop' | 'length' | 'content_filter'
  readonly took: Pick<Progress, 'usage' | 'used' | 'model'>
}

async function ask(
  { models }: ChatDeps,
  job: Job,
  on: Thinking & { readonly progress: Progress; readonly isLast: boolean },
): Promise<Said> {
  const { brief, offered, progress, isLast, signal } = on
  const { tenantId, asked, id } = job.inbound
  const choice = models.choose({
    ...wishFor(brief, asked),
    question: {
      ...{ text: asked.text, tools: offered.tools.length, language: brief.language },
      historyChars: on.messages.reduce((sum, each) => sum + ('text' in each ? each.text.length : 0), 0),
    },
  })
  if (progress.rounds.length === 0) noteChoice(job, choice)
  let so: Progress = progress
  let [text, reason] = ['', 'stop' as Said['reason']]
  const calls: Call[] = []
  const prompt = {
    ...{ tenantId, system: on.system, messages: [...on.messages, ...roundsAsMessages(progress)], tools: offered.tools },
    toolChoice: isLast
      ? ('none' as const)
      : progress.rounds.length > 0
        ? ('auto' as const)
        : (asked.toolChoice ?? 'auto'),
  }
  const used = (use: TextUse) => {
    so = { ...so, ...took(so, use) }
  }
  try {
    for await (const piece of models.ask(choice.models, prompt, { signal, used })) {
      if (piece.is === 'text') {
        const delta = (text === '' ? gap(saidBefore(progress), piece.delta) : '') + piece.delta
        text += piece.delta
        job.on({ type: 'text', delta })
      } else if (piece.is === 'call') calls.push(named(piece.call, { id, progress, at: calls.length }))
      else reason = piece.reason
    }
  } catch (thrown) {
    throw problemOf(thrown, text)
  }
  return { text, calls, reason, took: { usage: so.usage, used: so.used, model: so.model } }
}

/** What the agent wants of its models; a caller that may say so itself comes first. */
export function wishFor({ text }: Brief, asked: Pick<Asked, 'temperature' | 'maxTokens'> = {}): TextWish {
  const { modelProvider: provider, modelId: model, fallbackModels: fallbacks } = text
  const { temperature = text.temperature, maxTokens = text.maxTokens } = asked
  return { provider, model, fallbacks, temperature, maxTokens }
}

/** Why these models and not those that were wanted: for whoever looks at the trace. */
function noteChoice(job: Job, { models, why, passedOver }: TextChoice): void {
  job.note('model', `${models[0]?.name ?? ''}: ${why}`)
  for (const { name, reason } of passedOver) job.note('passed_over', `${name}: ${reason}`)
}

/** Ids of providers may repeat or be missing: within one message each call has its own. */
function named(call: Call, { id, progress, at }: { id: string; progress: Progress; at: number }): Call {
  const known = progress.rounds.some((round) => round.calls.some((each) => each.callId === call.callId))
  if (call.callId !== '' && !known) return call
  return { ...call, callId: idOf('call', id, `${progress.rounds.length}`, `${at}`) }
}

/** As the model gets its own rounds back. */
function roundsAsMessages({ rounds: all, ran }: Progress): Message[] {
  return all.flatMap((round): Message[] => [
    ...(round.text === '' ? [] : [{ role: 'agent' as const, text: round.text }]),
    ...round.calls.map((call) => ({ role: 'call' as const, call, output: outputOf(ran, call) })),
  ])
}

function outputOf(ran: readonly RanCall[], call: Call): string {
  return ran.find((each) => each.call.callId === call.callId)?.output ?? '{}'
}

function problemOf(thrown: unknown, said: string): unknown {
  if (!(thrown instanceof Error && thrown.name === 'PartFailure')) return thrown
  const wait = 'retryAfterMs' in thrown && typeof thrown.retryAfterMs === 'number' ? thrown.retryAfterMs : undefined
  const retry = wait === undefined ? {} : { retryAfterMs: wait }
  return new Problem(said === '' ? 'engine_refused' : 'engine_lost', undefined, { cause: thrown, ...retry })
}
