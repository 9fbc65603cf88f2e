// What the voice is asked to say, one thing at a time: what is appended as an instruction interrupts what is being said.

import type { CommandAnswer, EngineEvent } from '../engines.ts'
import type { Appends } from './appends.ts'
import * as commands from './commands.ts'
import type { Mouth } from './mouth.ts'
import { piecesOf } from './tokens.ts'

/** A session has one closing sentence and one greeting in the air, never more. */
const waitingLimit = 8
/** Within the provider's limit of 500 tokens with the order around it. */
const sayTokens = 400

interface Ask {
  readonly is: 'say' | 'goOn'
  readonly text: string
}

export interface SayingsNeeds {
  readonly mouth: Pick<Mouth, 'busy' | 'expect'>
  /** Of the present session; undefined until it has started. */
  readonly appends: () => Appends | undefined
  readonly emit: (event: EngineEvent) => void
}

export class Sayings {
  readonly #needs: SayingsNeeds
  #waiting: Ask[] = []
  /** Sent, and not yet in the session. */
  #asked: Ask | undefined

  constructor(needs: SayingsNeeds) {
    this.#needs = needs
  }

  ask({ is, text }: Ask): CommandAnswer {
    // A place to go on from is one text, however long; nothing said yet is a place too.
    const texts = is === 'say' ? piecesOf(text, sayTokens) : [text]
    if (this.#waiting.length + texts.length > waitingLimit)
      return { is: 'rejected', reason: 'too_many_answers_waiting' }
    this.#waiting.push(...texts.map((each) => ({ is, text: each })))
    this.next()
    return { is: 'accepted' }
  }

  /** The mouth is free, or the session has started. */
  next(): void {
    const { mouth, emit } = this.#needs
    const appends = this.#needs.appends()
    if (this.#asked !== undefined || mouth.busy || appends === undefined) return
    const ask = this.#waiting.shift()
    if (ask === undefined) return
    this.#asked = ask
    const text = ask.is === 'say' ? commands.sayExactly(ask.text) : commands.goOn(ask.text)
    const sent = appends.add('instructions', text, null, (outcome) => {
      if (this.#asked !== ask) return
      this.#asked = undefined
      if (outcome.ok) {
        mouth.expect(ask.is)
        return
      }
      const { code, message } = outcome
      emit({ type: 'error', source: 'provider', code, message, benign: false })
      this.next()
    })
    if (!sent) this.#asked = undefined
  }

  clear(): void {
    this.#waiting = []
    this.#asked = undefined
  }
}
