// A direct call as a test sees it: the engine with everything it said, and the browser that talks with the provider.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine, EngineBrief, EngineEvent, EngineFactory } from '../../gateway/engines/engines.ts'
import { PeerClient } from './peer.ts'

type Of<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

export class DirectRig {
  readonly events: EngineEvent[] = []
  readonly answers: string[] = []
  readonly browser = new PeerClient('oai-events')
  #engine: Engine | undefined

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('nothing was opened')
    return this.#engine
  }

  async open(factory: EngineFactory, brief: Partial<EngineBrief> = {}): Promise<this> {
    const offer = await this.browser.offer()
    this.#engine = factory.direct?.open(
      {
        tenantId: 'ten_1',
        sessionId: 'sess_1',
        brief: {
          instructions: 'You sell sofas.',
          voice: 'marin',
          language: 'en',
          model: '',
          tools: [],
          outputModality: 'audio',
          turnDetection: 'server_vad',
          history: [],
          ...brief,
        },
        onEvent: (event) => this.events.push(event),
      },
      { offer, answered: (answer) => this.answers.push(answer) },
    )
    this.engine.start()
    return this
  }

  async connect(): Promise<this> {
    await this.until('ready')
    await this.browser.take(this.answers[0] ?? '')
    return this
  }

  of<T extends EngineEvent['type']>(type: T): Of<T>[] {
    return this.events.filter((event): event is Of<T> => event.type === type)
  }

  async until<T extends EngineEvent['type']>(type: T, count = 1, timeoutMs = 12_000): Promise<Of<T>> {
    await until(
      () => this.of(type).length >= count,
      () => `${type} × ${count}: ${this.events.map((e) => e.type).join(' ')}`,
      timeoutMs,
    )
    const found = this.of(type)[count - 1]
    if (found === undefined) throw new Error('unreachable')
    return found
  }

  ask(text: string): void {
    this.engine.send({ type: 'userText', itemId: `item_${this.events.length}`, text })
    this.engine.send({ type: 'respond' })
  }

  /** The texts the agent said, in order. */
  get said(): string[] {
    return this.of('agentText').flatMap(({ final }) => final ?? [])
  }

  async close(): Promise<void> {
    this.browser.close()
    if (this.#engine === undefined) return
    this.#engine.close()
    await this.until('closed', 1, 5_000)
  }
}

export async function until(is: () => boolean, what: string | (() => string), timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!is()) {
    if (performance.now() > deadline) throw new Error(`waited for ${typeof what === 'string' ? what : what()}`)
    await sleep(10)
  }
}
