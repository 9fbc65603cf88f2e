// What every stock client is asked to do, against any gateway:
//   node test/clients/scripts/<client>.ts https://talk.example.com af_live_… productco
// Prints one line for each step and exits 1 at the first that fails. The agent must sell red sofas; any engine may answer.

import { pieces, silencePcm, speechPcm } from '../../harness/speech.ts'

export interface Target {
  /** `https://host:port` */
  readonly url: string
  readonly apiKey: string
  readonly agent: string
}

export interface ScriptClient {
  /** The whole of the answer to what is written. */
  ask(text: string): Promise<string>
  /** The words of the spoken answer to what is said, PCM16 24 kHz, and how long it sounds. */
  say(pcm: Buffer): Promise<{ readonly words: string; readonly ms: number }>
  /** Asks so that `get_weather` of the client is called; the answer that is made of its result. */
  call(question: string, result: string): Promise<string>
  /** Cuts the answer off; how its response ended. */
  interrupt(question: string): Promise<string>
  close(): void
}

export const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city right now',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', enum: ['Paris', 'Oslo'] } },
    required: ['city'],
    additionalProperties: false,
  },
} as const

export async function run(name: string, connect: (target: Target) => Promise<ScriptClient>): Promise<void> {
  const [url = '', apiKey = '', agent = 'productco'] = process.argv.slice(2)
  const step = async (what: string, done: Promise<string>): Promise<void> => {
    const shown = await within(done, what)
    process.stdout.write(`ok ${name} ${what}: ${shown}\n`)
  }
  try {
    const client = await within(connect({ url, apiKey, agent }), 'connect')
    await step('text', client.ask('How much is a red sofa?').then(some))
    // The last of an answer is still being heard when it is made: who speaks into it may be taken for a listener who nods.
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    const pcm = Buffer.concat([silencePcm(300), await speechPcm('Do you have a red sofa?'), silencePcm(1_000)])
    await step(
      'talk',
      client.say(pcm).then(({ words, ms }) => `${some(words)} (${some(Math.round(ms))} ms)`),
    )
    const result = JSON.stringify({ city: 'Oslo', summary: 'drizzle at 11 degrees' })
    await step(
      'tool',
      client.call('What is the weather in Oslo?', result).then((text) => like(text, /drizzle/i)),
    )
    await step(
      'interrupt',
      client
        .interrupt('Tell me about a red sofa and about your delivery times')
        .then((status) => like(status, /^cancelled$/)),
    )
    await step('text again', client.ask('Is a red sofa comfortable?').then(some))
    client.close()
    process.stdout.write(`ok ${name} end\n`)
    process.exit(0)
  } catch (thrown) {
    process.stdout.write(`FAIL ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
    process.exit(1)
  }
}

/** As a microphone gives it: 100 ms every 100 ms. */
export async function* spoken(pcm: Buffer): AsyncGenerator<Buffer> {
  const from = performance.now()
  let sentMs = 0
  for (const piece of pieces(pcm)) {
    yield piece
    sentMs += piece.length / 48
    await new Promise((resolve) => setTimeout(resolve, from + sentMs - performance.now()))
  }
}

function some(value: string | number): string {
  if (value === '' || value === 0) throw new Error('nothing came')
  return String(value)
}

function like(text: string, pattern: RegExp): string {
  if (!pattern.test(text)) throw new Error(`expected ${pattern}, got ${JSON.stringify(text)}`)
  return text
}

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what} took more than 20 s`)), 20_000)
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer))
}

/** Events of the protocol as they come, to be waited for. */
export class Feed<E extends { readonly type: string }> {
  readonly #events: E[] = []
  readonly #wakers = new Set<() => void>()

  push(event: E): void {
    this.#events.push(event)
    for (const wake of this.#wakers) wake()
  }

  /** Where the next events will be. */
  get mark(): number {
    return this.#events.length
  }

  since(mark: number): readonly E[] {
    return this.#events.slice(mark)
  }

  async next<T>(mark: number, find: (event: E) => T | undefined): Promise<T> {
    for (;;) {
      for (const event of this.since(mark)) {
        const found = find(event)
        if (found !== undefined) return found
      }
      const woken = Promise.withResolvers<void>()
      this.#wakers.add(woken.resolve)
      await woken.promise
      this.#wakers.delete(woken.resolve)
    }
  }
}
