// GPT-Live behind the steady layer, when its session breaks off at any message: what the person hears in the end. Time runs
// ten times as fast for the engines.

import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, expect, it } from 'vitest'
import type { Engine, EngineEvent } from '../../gateway/engines/engines.ts'
import { createOpenAiLive } from '../../gateway/engines/openai-live/openai-live.ts'
import { createOpenAiRealtime } from '../../gateway/engines/openai-realtime/openai-realtime.ts'
import { createSteady } from '../../gateway/engines/steady/steady.ts'
import { FastClock } from '../harness/fast-clock.ts'
import { type LiveFault, type ScriptedLive, startScriptedLive } from '../harness/scripted-live.ts'
import { type ScriptedRealtime, startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'

const speed = 10
const clock = new FastClock(speed)
const log = pino({ level: 'silent' })
const question = 'How does delivery work?'
const sentences = ['We deliver on weekdays.', 'The driver calls first.', 'Two people carry it.']
const answer = sentences.join(' ')
const second = 'And they take the old one with them.'
/** The person hears a word, or the end, within this; sockets take some of it at ten times the speed. */
const soonMs = 9_000
let cases = 0

interface Plan {
  readonly name: string
  readonly fault?: LiveFault
  readonly lifeMs?: number
  /** The question, aloud. */
  readonly spoken?: Buffer
  /** A model that stops in the middle of a sentence has, for all that can be known, finished. */
  readonly mayBreakOff?: boolean
}

class Visit {
  readonly events: EngineEvent[] = []
  readonly engine: Engine
  readonly turns = new Map<string, { role: 'user' | 'agent'; text: string }>()
  readonly heardAtMs: number[] = []
  askedMs = 0
  #microphone: ReturnType<typeof setInterval> | undefined

  constructor(voice: ScriptedLive, text: ScriptedRealtime) {
    const desk = createOpenAiRealtime({
      apiKey: 'sk',
      baseUrl: text.baseUrl,
      defaultModel: 'gpt-realtime-2.1',
      log,
      clock,
    })
    const open = createSteady({ clock, random: Math.random, log })
    const live = createOpenAiLive({
      apiKey: 'sk',
      baseUrl: voice.baseUrl,
      defaultModel: 'gpt-live-1',
      desk: {
        model: 'gpt-realtime-2.1',
        open: (options, history) => open({ ...options, factories: [desk], history }),
      },
      log,
      clock,
    })
    this.engine = open({
      tenantId: 'ten_1',
      sessionId: 'sess_1',
      brief: {
        instructions: 'Sell sofas.',
        voice: 'marin',
        language: 'en',
        model: '',
        tools: [],
        outputModality: 'audio',
        turnDetection: 'server_vad',
        history: [],
      },
      factories: [live],
      history: () => [...this.turns.values()].filter(({ text: said }) => said !== ''),
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

  speak(pcm: Buffer): void {
    const rest = [...pieces(pcm)]
    this.askedMs = clock.monotonicMs() + pcm.length / 48 + 600
    this.#microphone = setInterval(() => this.engine.audio({ pcm: rest.shift() ?? silencePcm(100) }), 100 / speed)
  }

  end(): void {
    clearInterval(this.#microphone)
    this.engine.close()
  }

  #event(event: EngineEvent): void {
    this.events.push(event)
    if (event.type === 'audio') this.heardAtMs.push(clock.monotonicMs())
    if (event.type === 'agentText') this.#write(event.itemId, 'agent', event)
    if (event.type === 'userText') this.#write(event.itemId, 'user', event)
    if (event.type === 'agentItem') this.#write(event.itemId, 'agent', {})
  }

  #write(itemId: string, role: 'user' | 'agent', { delta, final }: { delta?: string; final?: string }): void {
    const turn = this.turns.get(itemId) ?? { role, text: '' }
    this.turns.set(itemId, turn)
    turn.text = final ?? turn.text + (delta ?? '')
  }

  get said(): string {
    const agent = [...this.turns.values()].filter(({ role }) => role === 'agent')
    return agent
      .map(({ text }) => text)
      .join(' ')
      .replace(/\s+/g, ' ')
      .trim()
  }

  of(type: EngineEvent['type']): EngineEvent[] {
    return this.events.filter((event) => event.type === type)
  }

  async until(end: string): Promise<void> {
    const deadline = performance.now() + 6_000
    const open = () => this.of('responseStarted').length - this.of('responseDone').length
    const isDone = () => this.said.endsWith(end) && open() === 0
    while (this.of('closed').length === 0 && !isDone() && performance.now() < deadline) await sleep(5)
  }

  get longestMs(): number {
    const marks = [this.askedMs, ...this.heardAtMs.filter((ms) => ms > this.askedMs)]
    return Math.max(0, ...marks.slice(1).map((ms, i) => ms - (marks[i] ?? ms)))
  }
}

async function start(plan: Plan): Promise<{ voice: ScriptedLive; text: ScriptedRealtime }> {
  const text = await startScriptedRealtime({ pace: 60 })
  const voice = await startScriptedLive({ pace: 60, ...(plan.lifeMs === undefined ? {} : { lifeMs: plan.lifeMs }) })
  for (const provider of [text, voice]) provider.on(/delivery/, { say: answer }).on(/else/, { say: second })
  // Whoever listens hears the question: the second session too.
  voice.hears(question, question, question)
  if (plan.fault !== undefined) voice.breakAt(plan.fault.at, plan.fault.how)
  return { voice, text }
}

/** What is wrong with the outcome; undefined when nothing is. */
async function run(plan: Plan): Promise<string | undefined> {
  cases++
  const { voice, text } = await start(plan)
  const visit = new Visit(voice, text)
  try {
    visit.engine.start()
    if (plan.spoken === undefined) visit.ask(question)
    else visit.speak(plan.spoken)
    await visit.until(answer.slice(-8))
    const firstMs = visit.longestMs
    visit.ask('Anything else?')
    await visit.until(second.slice(-8))
    const fault = judge(visit, plan, Math.max(firstMs, visit.longestMs))
    const refused = voice.connections.flatMap(({ errors }) => errors)
    if (refused.length > 0) return `${plan.name}: refused ${JSON.stringify(refused)}`
    return fault === undefined ? undefined : `${plan.name}: ${fault}`
  } finally {
    visit.end()
    await voice.stop()
    await text.stop()
  }
}

function judge(visit: Visit, plan: Plan, longestMs: number): string | undefined {
  const { said } = visit
  for (const sentence of [...sentences, second]) if (said.split(sentence).length > 2) return `said twice: ${said}`
  if (visit.of('closed').length > 0) return `ended: ${JSON.stringify(visit.events.at(-1))}, having said ${said}`
  if (visit.of('ready').length !== 1) return 'ready more than once'
  if (longestMs > soonMs) return `nothing heard for ${Math.round(longestMs)} ms`
  if (plan.mayBreakOff === true && said.endsWith(second) && answer.startsWith(said.slice(0, -second.length).trim())) {
    return undefined
  }
  return said === `${answer} ${second}` ? undefined : `said: ${said}`
}

async function runAll(plans: readonly Plan[], atOnce = 12): Promise<readonly string[]> {
  const left = [...plans]
  const complaints: string[] = []
  const worker = async () => {
    for (let plan = left.shift(); plan !== undefined; plan = left.shift()) {
      const complaint = await run(plan)
      if (complaint !== undefined) complaints.push(complaint)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return complaints
}

/** How many messages the provider sends from the connection to the end of the first answer. */
async function recorded(spoken?: Buffer): Promise<number> {
  const { voice, text } = await start({ name: 'recorded' })
  const visit = new Visit(voice, text)
  visit.engine.start()
  if (spoken === undefined) visit.ask(question)
  else visit.speak(spoken)
  await visit.until(answer)
  const count = voice.last.sent.length
  visit.end()
  await voice.stop()
  await text.stop()
  expect(visit.said).toBe(answer)
  return count
}

async function everyNth(how: LiveFault['how'], n: number, more: Partial<Plan> = {}): Promise<Plan[]> {
  const count = await recorded(more.spoken)
  return Array.from({ length: Math.ceil(count / n) }, (_, i) => ({
    name: `${how} at message ${i * n}`,
    fault: { at: i * n, how },
    ...more,
  }))
}

it('survives a connection that is reset at any message of an answer', async () => {
  expect(await runAll(await everyNth('drop', 1))).toEqual([])
})

it.each([
  ['close', 4],
  ['expire', 4],
  ['content', 6],
] as const)('survives a session that the provider ends at a message: %s', async (how, n) => {
  expect(await runAll(await everyNth(how, n))).toEqual([])
})

it('survives a connection that falls silent at a message', async () => {
  // Before the session has started a lone provider that never gets ready is an honest end.
  expect(await runAll((await everyNth('silence', 6, { mayBreakOff: true })).slice(1))).toEqual([])
})

it('hears a spoken question out, whenever the connection is lost, and answers it once', async () => {
  const spoken = await speechPcm(question)
  expect(await runAll(await everyNth('drop', 3, { spoken }))).toEqual([])
})

/** The provider tells the end in whole seconds of its own time: for the engines, ten times as fast, it is always near. */
it('goes on over the end of a session’s life, wherever in an answer it falls', async () => {
  const plans = Array.from({ length: 12 }, (_, i): Plan => ({ name: `life of ${i}`, lifeMs: 200 + i * 40 }))
  expect(await runAll(plans)).toEqual([])
})

afterAll(() => {
  clock.stop()
  expect(cases).toBeGreaterThan(120)
})
