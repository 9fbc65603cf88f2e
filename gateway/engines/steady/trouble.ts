// One trouble, from its first sign until the agent is heard again: told once, and one holding line.

import type { Clock } from '../../platform/clock.ts'
import type { EngineTrouble } from '../engines.ts'
import { Holding } from './watch.ts'

export interface HoldingLine {
  readonly text: string
  /** PCM16 24 kHz. */
  readonly pcm: Buffer
}

export interface TroubleNeeds {
  readonly clock: Clock
  readonly holdingLine?: (language: string) => Promise<HoldingLine | undefined>
}

export interface TroubleEvents {
  told(trouble: EngineTrouble, code: string): void
  /** Whether somebody waits who has nothing to hear. */
  wanted(): boolean
  /** Undefined where nobody listens. */
  language(): string | undefined
  say(line: HoldingLine): void
}

export class Trouble {
  readonly holding: Holding
  /** Texts that were said in our place: no part of the conversation. */
  readonly said = new Set<string>()
  readonly #needs: TroubleNeeds
  readonly #holdingMs: number
  readonly #events: TroubleEvents
  #on = false

  constructor(needs: TroubleNeeds, holdingMs: number, events: TroubleEvents) {
    this.#needs = needs
    this.#holdingMs = holdingMs
    this.#events = events
    this.holding = new Holding(needs.clock, { wanted: () => this.#wanted, say: () => void this.#say() })
  }

  get on(): boolean {
    return this.#on
  }

  begins(trouble: EngineTrouble, code: string): void {
    if (this.#on) return
    this.#on = true
    this.#events.told(trouble, code)
    // Made now, so that it is there when it is wanted.
    void this.#line()
    this.holding.in(trouble === 'silent' ? 0 : this.#holdingMs)
  }

  ends(): void {
    this.#on = false
    this.holding.over()
  }

  over(): void {
    this.ends()
  }

  get #wanted(): boolean {
    return this.#on && this.#events.wanted()
  }

  async #line(): Promise<HoldingLine | undefined> {
    const language = this.#events.language()
    return language === undefined ? undefined : this.#needs.holdingLine?.(language).catch(() => undefined)
  }

  async #say(): Promise<void> {
    const line = await this.#line()
    if (line === undefined || !this.#wanted) return
    this.said.add(line.text)
    this.#events.say(line)
  }
}
