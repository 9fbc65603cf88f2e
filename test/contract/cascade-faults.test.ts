// Faults of a cascade's servers over real sockets, behind `steady`: what the person hears and reads in the end. Patience is a
// tenth of what it is in life.

import { pino } from 'pino'
import { afterAll, expect, it } from 'vitest'
import { createCascade } from '../../gateway/engines/cascade/cascade.ts'
import { readPlan } from '../../gateway/engines/cascade/plan.ts'
import type { EngineBrief, EngineEvent, EngineFactory } from '../../gateway/engines/engines.ts'
import { createSteady } from '../../gateway/engines/steady/steady.ts'
import { systemClock as clock } from '../../gateway/platform/clock.ts'
import { type Break, type Part, type ScriptedCascade, startScriptedCascade } from '../harness/scripted-cascade.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'

const log = pino({ level: 'silent' })
const question = 'How does delivery work?'
const sentences = ['We deliver on weekdays.', 'The driver calls first.', 'Two people carry it.']
const answer = sentences.join(' ')
const second = 'And they take the old one with them.'
const lost = 'I did not catch that.'
/** Everybody hears a word, or the end, within this: 8 s in life. */
const soonMs = 1_500
const voice = {
  warm: async () => {},
  speak: async () => Buffer.alloc(0),
  [Symbol.asyncDispose]: async () => {},
}
let cases = 0

interface Plan {
  readonly name: string
  readonly modality?: EngineBrief['outputModality']
  /** One engine has all of these servers in every list; `engines` of them one each. */
  readonly servers: readonly ((server: ScriptedCascade) => void)[]
  readonly layout?: 'lists' | 'engines'
  readonly spoken?: Buffer
  readonly mayAskAgain?: boolean
}

function factoryOf(servers: readonly ScriptedCascade[]): EngineFactory {
  const list = servers.map((_, i) => `s${i}:m`).join(',')
  const { plan } = readPlan({
    llm: list,
    stt: list,
    tts: list,
    servers: servers.map(({ baseUrl }, i) => `s${i}=${baseUrl}`).join(','),
    openAiBaseUrl: 'https://api.openai.com/v1',
    keys: {},
  })
  return createCascade({ plan, voice, clock, log, times: { firstMs: 150, lastMs: 300, stallMs: 200 } })
}

class Visit {
  readonly events: EngineEvent[] = []
  readonly turns = new Map<string, { role: 'user' | 'agent'; text: string }>()
  readonly engine
  #heardAtMs: number[] = []
  #microphone: ReturnType<typeof setInterval> | undefined

  constructor(factories: readonly EngineFactory[], modality: EngineBrief['outputModality']) {
    const times = { quietMs: 500, deadMs: 1_000, holdingMs: 60_000, tryMs: 400, recoverMs: 3_000 }
    this.engine = createSteady({ clock, random: () => 0, log, times })({
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
    this.#heardAtMs.push(clock.monotonicMs())
  }

  speak(pcm: Buffer): void {
    for (const piece of [...pieces(pcm), ...pieces(silencePcm(900))]) this.engine.audio({ pcm: piece })
    this.#microphone = setInterval(() => this.engine.audio({ pcm: silencePcm(100) }), 100)
    this.#heardAtMs.push(clock.monotonicMs())
  }

  end(): void {
    clearInterval(this.#microphone)
    this.engine.close()
  }

  #event(event: EngineEvent): void {
    this.events.push(event)
    if (event.type === 'audio' || event.type === 'agentText' || event.type === 'closed')
      this.#heardAtMs.push(clock.monotonicMs())
    if (event.type === 'agentText') this.#write(event.itemId, 'agent', event)
    if (event.type === 'userText') this.#write(event.itemId, 'user', event)
  }

  #write(itemId: string, role: 'user' | 'agent', { delta, final }: { delta?: string; final?: string }): void {
    const turn = this.turns.get(itemId) ?? { role, text: '' }
    this.turns.set(itemId, turn)
    turn.text = final ?? turn.text + (delta ?? '')
  }

  get said(): string {
    return [...this.turns.values()]
      .filter(({ role, text }) => role === 'agent' && text !== '')
      .map(({ text }) => text)
      .join(' ')
  }

  get open(): number {
    const count = (type: EngineEvent['type']) => this.events.filter((event) => event.type === type).length
    return count('responseStarted') - count('responseDone')
  }

  get closed(): boolean {
    return this.events.some(({ type }) => type === 'closed')
  }

  get audioMs(): number {
    return this.events.reduce((sum, event) => sum + (event.type === 'audio' ? event.ms : 0), 0)
  }

  get longestMs(): number {
    return Math.max(...this.#heardAtMs.slice(1).map((ms, i) => ms - (this.#heardAtMs[i] ?? ms)))
  }

  async until(ends: readonly string[]): Promise<void> {
    const deadline = performance.now() + 8_000
    const isDone = () => ends.some((end) => this.said.endsWith(end)) && this.open === 0
    while (!this.closed && !isDone() && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function run(plan: Plan): Promise<string | undefined> {
  cases++
  const servers = await Promise.all(
    plan.servers.map(async (set) => {
      const server = await startScriptedCascade()
      server
        .on(/delivery/, { say: answer })
        .on(/else/, { say: second })
        .on(/words were lost/, { say: lost })
        .hears(question, question)
      set(server)
      return server
    }),
  )
  const factories = plan.layout === 'engines' ? servers.map((server) => factoryOf([server])) : [factoryOf(servers)]
  const visit = new Visit(factories, plan.modality ?? 'audio')
  try {
    visit.engine.start()
    if (plan.spoken === undefined) visit.ask(question)
    else visit.speak(plan.spoken)
    await visit.until([answer.slice(-8), lost])
    if (!visit.closed) {
      visit.ask('Anything else?')
      await visit.until([second.slice(-8)])
    }
    const fault = judge(visit, plan, servers)
    return fault === undefined ? undefined : `${plan.name}: ${fault}`
  } finally {
    visit.end()
    await Promise.all(servers.map((server) => server.stop()))
  }
}

function judge(visit: Visit, plan: Plan, servers: readonly ScriptedCascade[]): string | undefined {
  const { said } = visit
  for (const sentence of [...sentences, second]) if (said.split(sentence).length > 2) return `said twice: ${said}`
  const strict = servers.flatMap(({ refused }) => refused).filter(({ status }) => status === 400)
  if (strict.length > 0) return `refused: ${JSON.stringify(strict)}`
  if (visit.longestMs > soonMs) return `nothing heard for ${Math.round(visit.longestMs)} ms`
  if (visit.closed) return `ended, having said ${said}`
  if (visit.events.filter(({ type }) => type === 'ready').length !== 1) return 'ready more than once'
  if (visit.open !== 0) return 'an answer was never ended'
  const isAskedAgain = plan.mayAskAgain === true && said === `${lost} ${second}`
  if (said !== `${answer} ${second}` && !isAskedAgain) return `said: ${said}`
  if (plan.modality === 'text' || isAskedAgain) return undefined
  // A voice that broke off is followed at the word, by an estimate: a word more or less.
  const wholeMs = said.length * 60
  return Math.abs(visit.audioMs - wholeMs) > 1_200 ? `${visit.audioMs} ms of ${wholeMs} were heard` : undefined
}

async function runAll(plans: readonly Plan[], atOnce = 8): Promise<readonly string[]> {
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

const well = () => {}
const events = 2 + answer.split(' ').length + 3
const chunks = Math.ceil((sentences[0] ?? '').length * 0.6)

function breakings(part: Part, how: Exclude<Break['how'], 'status'>, count: number, more: Partial<Plan> = {}): Plan[] {
  return Array.from({ length: count }, (_, after) => ({
    name: `${part} ${how} after ${after} (${more.modality ?? 'audio'}, ${more.layout ?? 'lists'})`,
    servers: [(server) => void server.breaks(part, { how, after }), ...(more.servers ?? [])],
    ...(more.layout === undefined ? {} : { layout: more.layout }),
    ...(more.modality === undefined ? {} : { modality: more.modality }),
  }))
}

it('survives a model that breaks off at any event of its answer, alone and with another one', async () => {
  const plans = (['cut', 'error', 'garbage'] as const).flatMap((how) => [
    ...breakings('chat', how, events),
    ...breakings('chat', how, events, { servers: [well] }),
    ...breakings('chat', how, events, { modality: 'text' }),
  ])
  expect(await runAll(plans)).toEqual([])
})

it('survives a model that falls silent at any event, where another one is', async () => {
  const plans = [
    ...breakings('chat', 'stall', events - 3, { servers: [well] }),
    ...breakings('chat', 'stall', events - 3, { modality: 'text', servers: [well] }),
  ]
  expect(await runAll(plans)).toEqual([])
})

it('survives a voice that breaks off or falls silent at any chunk', async () => {
  const plans = [
    ...breakings('speech', 'cut', chunks),
    ...breakings('speech', 'cut', chunks, { servers: [well] }),
    ...breakings('speech', 'stall', chunks, { servers: [well] }),
  ]
  expect(await runAll(plans)).toEqual([])
})

const refusals: readonly Break[] = [
  { how: 'status', status: 500 },
  { how: 'status', status: 429, code: 'rate_limit_exceeded' },
  { how: 'status', status: 401, code: 'invalid_api_key' },
  { how: 'status', status: 404, code: 'model_not_found' },
]

it('does without a server that refuses every request of a part: with the next of the list, or with the next engine', async () => {
  const spoken = await speechPcm(question)
  const plans = (['chat', 'speech', 'transcription'] as const).flatMap((part) =>
    refusals.flatMap((how): Plan[] => {
      const first = (server: ScriptedCascade) => void server.always(part, how)
      const name = `${part} always ${JSON.stringify(how)}`
      return [
        { name, servers: [first, well], spoken },
        {
          name: `${name}, another engine`,
          servers: [first, well],
          layout: 'engines',
          spoken,
          mayAskAgain: part === 'transcription',
        },
      ]
    }),
  )
  expect(await runAll(plans, 4)).toEqual([])
})

it('hears a question out when its transcription is cut or refused once', async () => {
  const spoken = await speechPcm(question)
  const once = (how: Break) => (server: ScriptedCascade) => void server.breaks('transcription', how)
  const plans = [
    { how: 'cut', after: 0 },
    { how: 'garbage', after: 0 },
    { how: 'status', status: 500 },
  ] as const
  expect(
    await runAll(
      plans.map((how) => ({ name: `transcription ${JSON.stringify(how)}`, servers: [once(how)], spoken })),
      2,
    ),
  ).toEqual([])
})

it('asks a lone model again when it has too much to do', async () => {
  const busy = { how: 'status', status: 429, code: 'rate_limit_exceeded' } as const
  const plans = [1, 2].map(
    (times): Plan => ({
      name: `429 × ${times}`,
      servers: [(server) => void server.breaks('chat', ...Array.from({ length: times }, () => busy))],
    }),
  )
  expect(await runAll(plans)).toEqual([])
})

afterAll(() => expect(cases).toBeGreaterThan(200))
