// Which process answers a message, and what everybody else who asks for it gets. Rules C1–C3 of SPEC.md.

import { withDeadline } from '../platform/deadline.ts'
import type { TenantId } from '../platform/ids.ts'
import { asProblem, Problem } from '../platform/problem.ts'
import { answer } from './answering.ts'
import type { ChatDeps, Inner } from './deps.ts'
import { askedOf, askedOfNews, type Inbound, identityOf, newsId } from './inbound.ts'
import { openInbound } from './inbound-store.ts'
import { Job, Lost } from './job.ts'
import { Leases } from './leases.ts'
import { openLines } from './line-store.ts'
import { Lines, type Place } from './lines.ts'
import type { ChatEvent, ChatReply, InboundMessage, News } from './message.ts'
import { recordRefusal } from './refusal.ts'
import { Running } from './running.ts'
import { type Config, loadConfig, rateLimits } from './steps/admission.ts'
import { Trace } from './trace.ts'

type On = ((event: ChatEvent) => void) | undefined

export interface SweepReport {
  readonly answered: number
  readonly failed: number
}

export interface Processing {
  process(tenantId: TenantId, message: InboundMessage, on: On): Promise<ChatReply>
  tell(tenantId: TenantId, news: News): Promise<void>
  sweep(): Promise<SweepReport>
  drain(timeoutMs: number): Promise<void>
}

/** Somebody else answers it: how long its caller waits here, and how often it looks. */
const followMs = 120_000
const followPollMs = 100
const batch = 50

export function createProcessing(deps: ChatDeps): Processing {
  return new Processor(deps)
}

interface Fresh {
  readonly config?: Config
  readonly trace?: Trace
  readonly inTurn?: boolean
}

class Processor implements Processing {
  readonly #deps: Inner
  readonly #leases: Leases
  /** By the inbound message's id. */
  readonly #running = new Map<string, Running>()
  readonly #work = new Set<Promise<unknown>>()

  constructor(deps: ChatDeps) {
    const store = openInbound(deps.db, { owner: deps.nodeId })
    const lines = new Lines({ ...deps, store: openLines(deps.db), rescue: (place) => this.#rescue(place) })
    this.#deps = { ...deps, store, lines }
    this.#leases = new Leases({ ...deps, store })
  }

  async process(tenantId: TenantId, message: InboundMessage, on: On): Promise<ChatReply> {
    const { id, messageId } = identityOf(tenantId, message)
    const known = this.#running.has(id) ? undefined : await this.#known(tenantId, id, message)
    const here = this.#running.get(id)
    if (here !== undefined) {
      if (here.text !== undefined && here.text !== message.text) throw reused()
      return here.join(on)
    }
    if (known !== undefined) return this.#again(known, message, on)
    const running = this.#begin(id, message.text)
    const joined = running.join(on)
    this.#carry(running, id, () => this.#first(tenantId, { id, messageId, message, running }))
    return joined
  }

  async tell(tenantId: TenantId, news: News): Promise<void> {
    const { store, clock } = this.#deps
    const id = newsId(tenantId, news)
    const known = this.#running.has(id) ? undefined : await store.find(tenantId, id)
    if (known?.state === 'done') return
    const running = this.#running.get(id)
    if (running !== undefined) return void (await running.join(undefined))
    const here = this.#begin(id)
    const told = here.join(undefined)
    this.#carry(here, id, async () => {
      if (known !== undefined) return this.#follow(tenantId, id, here, known)
      const { channel, inboundId } = news
      const before = inboundId === undefined ? undefined : await store.find(tenantId, inboundId)
      const receivedAt = new Date(clock.now()).toISOString()
      const asked = askedOfNews(news, before)
      // Whom the message was passed on to may have asked: the conversation is with whoever was written to.
      const { agentId } = before ?? news
      const inbound = await store.insert({ id, tenantId, agentId, channel, messageId: id, asked, receivedAt })
      return inbound === undefined ? this.#follow(tenantId, id, here) : this.#own(inbound, here, {})
    })
    await told
  }

  #known(tenantId: TenantId, id: string, { thread, messageId }: InboundMessage): Promise<Inbound | undefined> {
    const { store } = this.#deps
    if (messageId === undefined) return Promise.resolve(undefined)
    const named = thread?.id
    return store
      .find(tenantId, id)
      .then((found) => found ?? (named === undefined ? undefined : store.findIn(tenantId, named, messageId)))
  }

  #begin(id: string, text?: string): Running {
    const running = new Running(text)
    this.#running.set(id, running)
    return running
  }

  /** Goes on whether anybody waits or not. */
  #carry(running: Running, id: string, work: () => Promise<ChatReply>): void {
    const done = work().finally(() => {
      this.#running.delete(id)
      this.#work.delete(done)
    })
    this.#work.add(done)
    running.settle(done)
  }

  /** Steps 1 and 2; then it is stored, and is answered whatever happens to this process. */
  async #first(
    tenantId: TenantId,
    on: {
      readonly id: string
      readonly messageId: string
      readonly message: InboundMessage
      readonly running: Running
    },
  ): Promise<ChatReply> {
    const { id, messageId, message, running } = on
    const { agentId, channel } = message
    const asked = askedOf(message)
    const trace = this.#trace(running)
    const receivedAt = new Date(this.#deps.clock.now()).toISOString()
    const first = { id, tenantId, agentId, channel, messageId, asked, receivedAt }
    try {
      const config = await trace.step('load_config', () => loadConfig(this.#deps, first))
      await trace.step('rate_limits', () => rateLimits(this.#deps, config, asked))
      const inbound = await this.#deps.store.insert(first)
      if (inbound !== undefined) return await this.#own(inbound, running, { config, trace })
    } catch (thrown) {
      if (thrown instanceof Lost) return this.#follow(tenantId, id, running)
      if (this.#isRefusal(trace)) await recordRefusal(this.#deps, { ...first, trace, problem: asProblem(thrown) })
      throw thrown
    }
    return this.#follow(tenantId, id, running)
  }

  /** What failed before it was stored has its trace in the executions only. */
  #isRefusal(trace: Trace): boolean {
    return trace.steps.slice(0, 2).some((step) => step.outcome === 'failed')
  }

  #trace(running: Running, before: Inbound['steps'] = []): Trace {
    const { clock, onStep } = this.#deps
    return new Trace({ clock, onStep, before, onBegin: (name) => running.tell({ type: 'step', name }) })
  }

  async #own(inbound: Inbound, running: Running, { config, trace, inTurn = false }: Fresh): Promise<ChatReply> {
    const { store } = this.#deps
    const job = new Job(inbound, { store, trace: trace ?? this.#trace(running, inbound.steps), on: running.tell })
    return this.#leases.hold(job, (signal) => answer(this.#deps, job, { config, inTurn, signal }))
  }

  /** It was asked for before: the stored reply, or the one that is on its way, or another try where it failed. */
  async #again(known: Inbound, message: InboundMessage, on: On): Promise<ChatReply> {
    const { tenantId, id } = known
    if (known.asked.text !== message.text || known.agentId !== message.agentId) throw reused()
    if (known.reply !== undefined && known.state === 'done') return told(known.reply, on)
    const here = this.#running.get(id)
    if (here !== undefined) return here.join(on)
    const running = this.#begin(id)
    const joined = running.join(on)
    this.#carry(running, id, () => this.#follow(tenantId, id, running, known))
    return joined
  }

  /** Waits for whoever answers it; goes on with it where nobody does any more. */
  async #follow(tenantId: TenantId, id: string, running: Running, asked?: Inbound): Promise<ChatReply> {
    const { store, clock } = this.#deps
    const until = clock.monotonicMs() + followMs
    let mayReopen = asked?.state === 'failed'
    while (clock.monotonicMs() < until) {
      const now = await store.find(tenantId, id)
      if (now === undefined) throw new Problem('gone')
      if (now.reply !== undefined && now.state === 'done') return told(now.reply, running.tell)
      if (now.state === 'failed' && !mayReopen) throw failureOf(now)
      const taken = now.state === 'failed' ? await store.reopen(now) : await store.takeOver(now)
      mayReopen = false
      if (taken !== undefined) {
        try {
          return await this.#own(taken, running, {})
        } catch (thrown) {
          if (!(thrown instanceof Lost)) throw thrown
        }
      }
      await new Promise<void>((resolve) => clock.after(followPollMs, resolve))
    }
    throw new Problem('too_many', 'The answer to this message takes long. Ask for it again.', { retryAfterMs: 5_000 })
  }

  /** First in a line of this process, and nobody's here. */
  async #rescue(place: Place): Promise<boolean> {
    const { tenantId, id } = place
    const { store, lines } = this.#deps
    const found = await store.find(tenantId, id)
    if (found?.state !== 'open') {
      await lines.leave(place)
      return true
    }
    if (this.#running.has(id)) return false
    const taken = await store.takeOver(found)
    if (taken === undefined) return false
    await this.#resume(taken, true).catch(() => undefined)
    return true
  }

  #resume(taken: Inbound, inTurn: boolean): Promise<ChatReply> {
    const running = this.#begin(taken.id)
    const joined = running.join(undefined)
    this.#carry(running, taken.id, () => this.#own(taken, running, { inTurn }))
    return joined
  }

  async sweep(): Promise<SweepReport> {
    const { store } = this.#deps
    const report = { answered: 0, failed: 0 }
    const found = (await store.stale(batch)).filter((each) => !this.#running.has(each.id))
    const one = async (each: Inbound): Promise<void> => {
      const taken = await store.takeOver(each)
      if (taken === undefined) return
      await this.#resume(taken, false).then(
        () => report.answered++,
        () => report.failed++,
      )
    }
    await Promise.all(found.map(one))
    return report
  }

  async drain(timeoutMs: number): Promise<void> {
    const all = Promise.allSettled(this.#work)
    await withDeadline<unknown>(all, { timeoutMs, clock: this.#deps.clock, fallback: () => undefined })
  }
}

function told(reply: ChatReply, on: On): ChatReply {
  on?.({ type: 'accepted', messageId: reply.messageId, conversationId: reply.conversationId })
  if (reply.text !== '') on?.({ type: 'text', delta: reply.text })
  return reply
}

function reused(): Problem {
  return new Problem('conflict', 'This message id was used for another message.')
}

function failureOf({ failure }: Inbound): Problem {
  const { code = 'internal', message, retryAfterMs } = failure ?? {}
  return new Problem(code, message, retryAfterMs === undefined ? {} : { retryAfterMs })
}
