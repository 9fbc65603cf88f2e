// Upstream faults over real sockets: what the person hears and reads in the end. Time runs ten times as fast for the engines;
// the figures below are in their time. One provider a test file: it runs on the one clock of its process.

import { pino } from 'pino'
import { afterAll, describe, expect, it } from 'vitest'
import { createDemo } from '../../gateway/engines/demo/demo.ts'
import type { Engine, EngineBrief, EngineEvent, EngineFactory } from '../../gateway/engines/engines.ts'
import { createSteady } from '../../gateway/engines/steady/steady.ts'
import { FastClock } from '../harness/fast-clock.ts'
import type { Fault, ScriptedReply } from '../harness/scripted-realtime.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'

export const speed = 10
export const clock = new FastClock(speed)
const log = pino({ level: 'silent' })
const question = 'How does delivery work?'
const sentences = ['We deliver on weekdays.', 'The driver calls first.', 'Two people carry it.']
const answer = sentences.join(' ')
const second = 'And they take the old one with them.'
const holding = 'One moment, please.'

/** Everybody hears a word, or the end, within this. */
const soonMs = 8_000
/** As the scripted provider speaks. */
const msPerChar = 60
let cases = 0

/** A scripted provider, with what can be wrong with it. */
export interface FaultyProvider {
  readonly connections: readonly {
    readonly sent: readonly string[]
    readonly goneOn: readonly { readonly after: string; readonly rest: string | undefined }[]
  }[]
  readonly last: { readonly sent: readonly string[] }
  on(pattern: RegExp, reply: ScriptedReply | ((input: string) => ScriptedReply)): this
  hears(...texts: readonly string[]): this
  breakAt(at: number, how: Fault['how']): this
  refuse(status: number, code?: string, headers?: Readonly<Record<string, string>>): this
  times(count: number): this
  refuseAfterOpen(code: string): this
  silent(): this
  stop(): Promise<void>
}

export interface FaultRig<P extends FaultyProvider> {
  /** `maxDurationMs`: how long the provider lets a connection live, in engine time. */
  start(maxDurationMs: number | undefined): Promise<P>
  factory(provider: P, maxDurationMs: number | undefined): EngineFactory
  /** Messages before there is a session. */
  readonly handshake: number
  /** What may be heard twice at a loss: two pieces of sound where words run ahead of it, a word where they follow. */
  readonly repeatsMs: number
}

interface Plan {
  readonly name: string
  readonly modality?: EngineBrief['outputModality']
  /** What is wrong with the first provider; with the second, where there is one. */
  readonly first: (provider: FaultyProvider) => void
  readonly second?: (provider: FaultyProvider) => void
  readonly maxDurationMs?: number
  readonly demo?: boolean
  /** The question, aloud. */
  readonly spoken?: Buffer
  /** Ends are honest only here. */
  readonly mayEnd?: boolean
}

/** The agent's second engine is the demo, which knows the same answers. */
const knowledge = {
  search: async (_: string, text: string) => {
    const known = text.includes('delivery') ? answer : second
    return [{ title: text, text: known, score: 5, kind: 'faq' }]
  },
}
const voice = {
  warm: async () => {},
  speak: async (_: string, text: string) => Buffer.alloc(text.length * msPerChar * 48, 0x10),
  [Symbol.asyncDispose]: async () => {},
}
const demo = createDemo({ knowledge, log, clock, voice, recogniser: null })

/** The session's part: asks, writes down, and tells what was said so far. */
class Visit {
  readonly events: EngineEvent[] = []
  readonly engine: Engine
  readonly turns = new Map<string, { role: 'user' | 'agent'; text: string }>()
  readonly heardAtMs: number[] = []
  askedMs = 0
  #microphone: ReturnType<typeof setInterval> | undefined

  constructor(engines: readonly EngineFactory[], { modality = 'audio', demo: standIn = false }: Plan) {
    const factories = standIn ? [...engines, demo] : engines
    const line = { text: holding, pcm: Buffer.alloc(48 * 800) }
    const open = createSteady({ clock, random: Math.random, log, holdingLine: async () => line })
    this.engine = open({
      tenantId: 'ten_1',
      sessionId: 'sess_1',
      brief: {
        instructions: 'Sell sofas.',
        voice: 'marin',
        language: 'en',
        model: '',
        tools: [],
        outputModality: modality,
        turnDetection: 'server_vad',
        history: [],
      },
      factories,
      history: () => [...this.turns.values()].filter(({ text }) => text !== ''),
      onEvent: (event) => this.#event(event),
    })
  }

  ask(text: string): void {
    const itemId = `item_${this.turns.size}`
    this.turns.set(itemId, { role: 'user', text })
    this.engine.send({ type: 'userText', itemId, text })
    this.engine.send({ type: 'respond' })
    this.askedMs = clock.monotonicMs()
  }

  /** Says it aloud, and leaves the microphone open. */
  speak(pcm: Buffer): void {
    const rest = [...pieces(pcm)]
    this.askedMs = clock.monotonicMs() + pcm.length / 48 + 500
    this.#microphone = setInterval(() => this.engine.audio({ pcm: rest.shift() ?? silencePcm(100) }), 100 / speed)
  }

  end(): void {
    clearInterval(this.#microphone)
    this.engine.close()
  }

  #event(event: EngineEvent): void {
    this.events.push(event)
    if (event.type === 'userText') this.#write(event.itemId, 'user', event)
    if (event.type === 'audio' || (event.type === 'agentText' && !event.spoken) || event.type === 'closed') {
      this.heardAtMs.push(clock.monotonicMs())
    }
    if (event.type === 'agentText') this.#write(event.itemId, 'agent', event)
    if (event.type === 'userItem' || event.type === 'agentItem') {
      this.#write(event.itemId, event.type === 'userItem' ? 'user' : 'agent', {})
    }
  }

  #write(itemId: string, role: 'user' | 'agent', { delta, final }: { delta?: string; final?: string }): void {
    const turn = this.turns.get(itemId) ?? { role, text: '' }
    this.turns.set(itemId, turn)
    turn.text = final ?? turn.text + (delta ?? '')
  }

  get said(): string {
    const agent = [...this.turns.values()].filter(
      ({ role, text }) => role === 'agent' && text !== '' && text !== holding,
    )
    return agent.map(({ text }) => text).join(' ')
  }

  /** Answers that began and have not ended. */
  get open(): number {
    const ids = new Set<string>()
    for (const event of this.events) {
      if (event.type === 'responseStarted') ids.add(event.responseId)
      if (event.type === 'responseDone') ids.delete(event.responseId)
    }
    return ids.size
  }

  /** Of the agent's voice, the holding line aside. */
  get audioMs(): number {
    return this.events.reduce(
      (sum, each) => sum + (each.type === 'audio' && each.source === 'provider' ? each.ms : 0),
      0,
    )
  }

  get closed(): EngineEvent | undefined {
    return this.events.find(({ type }) => type === 'closed')
  }

  /** Said to its end, or over. */
  async until(text: string): Promise<void> {
    // In engine time, which waits for a busy machine.
    const deadlineMs = clock.monotonicMs() + 60_000
    const isDone = () => this.said.endsWith(text) && this.open === 0
    while (this.closed === undefined && !isDone() && clock.monotonicMs() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** From the question on: the longest time in which nothing was heard. */
  get longestMs(): number {
    const marks = [this.askedMs, ...this.heardAtMs.filter((ms) => ms > this.askedMs)]
    return Math.max(...marks.slice(1).map((ms, i) => ms - (marks[i] ?? ms)))
  }
}

function script<P extends FaultyProvider>(provider: P): P {
  // Whoever listens hears the question: the second connection too.
  return provider
    .on(/delivery/, { say: answer })
    .on(/else/, { say: second })
    .hears(question, question, question)
}

class Runs<P extends FaultyProvider> {
  readonly #rig: FaultRig<P>

  constructor(rig: FaultRig<P>) {
    this.#rig = rig
  }

  async #provider(set: Plan['first'], maxDurationMs: number | undefined): Promise<P> {
    const provider = script(await this.#rig.start(maxDurationMs))
    set(provider)
    return provider
  }

  #visit(providers: readonly P[], plan: Plan): Visit {
    const factories = providers.map((provider) => this.#rig.factory(provider, plan.maxDurationMs))
    return new Visit(factories, plan)
  }

  /** What is wrong with the outcome; undefined when nothing is. */
  async #run(plan: Plan): Promise<string | undefined> {
    cases++
    const sets = [plan.first, plan.second].filter((set) => set !== undefined)
    const providers = await Promise.all(sets.map((set) => this.#provider(set, plan.maxDurationMs)))
    const visit = this.#visit(providers, plan)
    try {
      visit.engine.start()
      if (plan.spoken === undefined) visit.ask(question)
      else visit.speak(plan.spoken)
      await visit.until(answer.slice(-8))
      const firstMs = visit.longestMs
      if (visit.closed === undefined) {
        visit.ask('Anything else?')
        await visit.until(second.slice(-8))
      }
      const longestMs = Math.max(firstMs, visit.longestMs)
      const fault = judge(visit, { plan, providers, longestMs, repeatsMs: this.#rig.repeatsMs })
      return fault === undefined ? undefined : `${plan.name}: ${fault}`
    } finally {
      visit.end()
      await Promise.all(providers.map((provider) => provider.stop()))
    }
  }

  /** Runs them a few at a time; their complaints. */
  async all(plans: readonly Plan[], atOnce = 16): Promise<readonly string[]> {
    const left = [...plans]
    const complaints: string[] = []
    const worker = async () => {
      for (let plan = left.shift(); plan !== undefined; plan = left.shift()) {
        const complaint = await this.#run(plan)
        if (complaint !== undefined) complaints.push(complaint)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    return complaints
  }

  /** How many messages the provider sends from the connection to the end of the first answer. */
  async #recorded(modality: 'audio' | 'text', spoken?: Buffer): Promise<number> {
    const plan = { name: 'recorded', modality, first: well }
    const provider = await this.#provider(well, undefined)
    const visit = this.#visit([provider], plan)
    visit.engine.start()
    if (spoken === undefined) visit.ask(question)
    else visit.speak(spoken)
    await visit.until(answer)
    const count = provider.last.sent.length
    visit.end()
    await provider.stop()
    expect(visit.said).toBe(answer)
    return count
  }

  async atEveryMessage(how: Fault['how'], modality: 'audio' | 'text', more: Partial<Plan>): Promise<Plan[]> {
    return Array.from({ length: await this.#recorded(modality, more.spoken) }, (_, at) => ({
      name: `${how} at message ${at} (${modality})`,
      modality,
      first: (provider) => void provider.breakAt(at, how),
      ...more,
    }))
  }
}

interface Facts {
  readonly plan: Plan
  readonly providers: readonly FaultyProvider[]
  readonly longestMs: number
  readonly repeatsMs: number
}

function judge(visit: Visit, { plan, providers, longestMs, repeatsMs }: Facts): string | undefined {
  const { said } = visit
  for (const sentence of [...sentences, second]) {
    if (said.split(sentence).length > 2) return `said twice: ${said}`
  }
  const strange = providers.flatMap(({ connections }) => connections.flatMap(({ goneOn }) => goneOn))
  if (strange.some(({ rest }) => rest === undefined)) return `asked to go on after ${JSON.stringify(strange)}`
  const closes = visit.events.filter(({ type }) => type === 'closed').length
  // Beyond 8 s of silence stands what sockets take, at ten times the speed.
  if (longestMs > soonMs + 50 * speed) return `nothing heard for ${Math.round(longestMs)} ms`
  if (closes > 0) {
    if (plan.mayEnd !== true) return `ended: ${JSON.stringify(visit.events.at(-1))}, having said ${said}`
    return closes === 1 && visit.events.at(-1)?.type === 'closed' ? undefined : `closed ${closes} times`
  }
  if (visit.events.filter(({ type }) => type === 'ready').length !== 1) return 'ready more than once'
  if (visit.open > 0) return 'an answer was never ended'
  const wholeMs = (answer.length + second.length) * msPerChar
  const lost = providers.reduce((sum, { connections }) => sum + connections.length, plan.demo === true ? 0 : -1)
  if (visit.audioMs > wholeMs + lost * repeatsMs) return `${visit.audioMs} ms of ${wholeMs} were heard`
  return said === `${answer} ${second}` ? undefined : `said: ${said}`
}

const well = () => {}

const refusals: readonly (readonly [name: string, set: (provider: FaultyProvider) => void, passes: boolean])[] = [
  ['500', (provider) => void provider.refuse(500), false],
  ['502', (provider) => void provider.refuse(502), false],
  ['503', (provider) => void provider.refuse(503), false],
  ['503 once', (provider) => void provider.refuse(503).times(1), true],
  ['503 twice', (provider) => void provider.refuse(503).times(2), true],
  ['429', (provider) => void provider.refuse(429), false],
  ['429 once', (provider) => void provider.refuse(429).times(1), true],
  ['429 for a second', (provider) => void provider.refuse(429, undefined, { 'retry-after': '1' }).times(1), true],
  ['429 for 3 s', (provider) => void provider.refuse(429, undefined, { 'retry-after': '3' }).times(1), true],
  ['429 for a minute', (provider) => void provider.refuse(429, undefined, { 'retry-after': '60' }), false],
  ['401', (provider) => void provider.refuse(401), false],
  ['404', (provider) => void provider.refuse(404), false],
  ['no such model', (provider) => void provider.refuseAfterOpen('invalid_model'), false],
  ['no words', (provider) => void provider.silent(), false],
]

export function engineFaults<P extends FaultyProvider>(name: string, rig: FaultRig<P>): void {
  describe(`upstream faults of ${name}`, () => {
    const runs = new Runs(rig)

    it('survives a connection that is reset at any message of an answer', async () => {
      expect(await runs.all(await runs.atEveryMessage('drop', 'audio', {}))).toEqual([])
    })

    it('survives a connection that is closed at any message, without a word or because the session expired', async () => {
      expect(await runs.all(await runs.atEveryMessage('close', 'audio', {}))).toEqual([])
      expect(await runs.all(await runs.atEveryMessage('expire', 'audio', {}))).toEqual([])
    })

    it('survives the loss of a connection at any message of a written answer', async () => {
      expect(await runs.all(await runs.atEveryMessage('drop', 'text', {}))).toEqual([])
    })

    it('hears a spoken question out, whenever the connection is lost, and answers it once', async () => {
      const spoken = await speechPcm(question)
      expect(await runs.all(await runs.atEveryMessage('drop', 'audio', { spoken }))).toEqual([])
    })

    it('goes on with the second provider when the first one is lost at any message and does not come back', async () => {
      const plans = await runs.atEveryMessage('drop', 'audio', { second: well })
      const gone = plans.map((plan): Plan => {
        const first = (provider: FaultyProvider) => {
          plan.first(provider)
          // The one connection that was accepted is the last.
          const timer = setInterval(() => {
            if (provider.connections.length === 0) return
            clearInterval(timer)
            provider.refuse(503)
          }, 1)
        }
        return { ...plan, name: `${plan.name}, then 503`, first }
      })
      expect(await runs.all(gone)).toEqual([])
      const other = gone
        .filter((_, at) => at % 2 === 0)
        .map(({ second: _, ...plan }): Plan => ({ ...plan, name: `${plan.name}, then the demo`, demo: true }))
      expect(await runs.all(other)).toEqual([])
    })

    it('survives a connection that falls silent at any message', async () => {
      const plans = await runs.atEveryMessage('silence', 'audio', {})
      // Without a session there is nothing yet that could go on: a lone provider that never gets ready is an honest end.
      expect(
        await runs.all(
          plans.map((plan, at) => ({ ...plan, mayEnd: at < rig.handshake })),
          32,
        ),
      ).toEqual([])
      expect(
        await runs.all(
          plans.filter((_, at) => at % 3 === 0).map((plan) => ({ ...plan, second: well })),
          32,
        ),
      ).toEqual([])
    })

    it('starts in spite of a provider that refuses, or says honestly that it cannot', async () => {
      const plans = refusals.flatMap(([name, first, passes]): Plan[] => [
        { name: `${name} at the start`, first, mayEnd: !passes },
        { name: `${name} at the start, a second engine`, first, second: well },
        { name: `${name} at the start, of both`, first, second: first, mayEnd: !passes },
      ])
      expect(await runs.all(plans)).toEqual([])
    })

    it('asks again when answers are refused for too many requests, and elsewhere when that does not help', async () => {
      const failing = (times: number, code: string) => (provider: FaultyProvider) => {
        let left = times
        provider.on(/delivery/, () =>
          left-- > 0 ? { status: 'failed', error: { code, message: code } } : { say: answer },
        )
      }
      const plans = [1, 2].flatMap((times) =>
        ['rate_limit_exceeded', 'server_error'].map(
          (code): Plan => ({ name: `${code} × ${times}`, first: failing(times, code) }),
        ),
      )
      const elsewhere = ['rate_limit_exceeded', 'server_error', 'insufficient_quota'].map(
        (code): Plan => ({ name: `${code} for ever`, first: failing(99, code), second: well }),
      )
      expect(await runs.all([...plans, ...elsewhere])).toEqual([])
    })

    it('goes on over the provider’s cap, wherever in an answer it falls', async () => {
      const plans = Array.from({ length: 40 }, (_, i): Plan => {
        return { name: `cap of ${400 + i * 40} ms`, first: well, maxDurationMs: 400 + i * 40 }
      })
      expect(await runs.all(plans)).toEqual([])
    })

    afterAll(() => {
      clock.stop()
      expect(cases).toBeGreaterThan(400)
    })
  })
}
