// No dead air while a tool takes its time: a spoken session hears that it is being worked on. Rule S48.

import type { CommandAnswer, EngineCommand } from '../engines/engines.ts'
import type { Clock, Timer } from '../platform/clock.ts'

export interface StillCheckingOptions {
  readonly clock: Clock
  readonly engine: { send(command: EngineCommand): CommandAnswer }
  readonly language: string
  /** It is a call, nobody speaks, no answer is being made or played. */
  readonly mayAgentSpeak: () => boolean
}

/** Longer than the pause after which people ask whether somebody is there. */
const firstAfterMs = 3_000
const againAfterMs = 10_000
const lookMs = 250

/** The first time, and every time after it. Languages that are not here are not guessed at: silence is better than a wrong tongue. */
const words: Readonly<Record<string, readonly [first: string, again: string]>> = {
  ar: ['ما زلت أتحقق، لحظة من فضلك.', 'ما زال الأمر قيد البحث، شكرًا لانتظارك.'],
  de: ['Ich sehe noch nach, einen Moment bitte.', 'Es dauert noch einen Augenblick, danke für Ihre Geduld.'],
  en: ['I am still checking, one moment please.', 'This is taking a little longer, thank you for waiting.'],
  es: ['Sigo comprobándolo, un momento por favor.', 'Está tardando un poco más, gracias por esperar.'],
  fr: ['Je vérifie encore, un instant s’il vous plaît.', 'Cela prend un peu plus de temps, merci de patienter.'],
  it: ['Sto ancora controllando, un momento per favore.', 'Ci vuole ancora un po’, grazie per l’attesa.'],
  nl: ['Ik ben het nog aan het nakijken, een moment alstublieft.', 'Het duurt nog even, dank u voor het wachten.'],
  pt: ['Ainda estou a verificar, um momento por favor.', 'Está a demorar um pouco mais, obrigado por esperar.'],
}

export class StillChecking {
  readonly #options: StillCheckingOptions
  readonly #words: readonly [first: string, again: string] | undefined
  #timer: Timer | undefined
  #dueAtMs = 0
  #said = 0

  constructor(options: StillCheckingOptions) {
    this.#options = options
    this.#words = words[options.language.slice(0, 2).toLowerCase()]
  }

  /** The first of the tools is at work. */
  begin(): void {
    if (this.#words === undefined || this.#timer !== undefined) return
    const { clock } = this.#options
    this.#said = 0
    this.#dueAtMs = clock.monotonicMs() + firstAfterMs
    this.#timer = clock.every(lookMs, () => this.#look())
  }

  /** The last of them is done. */
  end(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #look(): void {
    const { clock, engine, mayAgentSpeak } = this.#options
    const nowMs = clock.monotonicMs()
    // What is said right now is enough for a while.
    if (!mayAgentSpeak()) this.#dueAtMs = Math.max(this.#dueAtMs, nowMs + firstAfterMs / 2)
    if (nowMs < this.#dueAtMs) return
    this.#dueAtMs = nowMs + againAfterMs
    const text = this.#words?.[this.#said++ === 0 ? 0 : 1]
    if (text !== undefined) engine.send({ type: 'say', text })
  }
}
