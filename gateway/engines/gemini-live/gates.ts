// Speech that may not be meant stays here: the provider stops its answer for the first word it gets. Each stretch has a gate;
// what belongs to it waits in order until the verdict, and then goes on or is forgotten.

import { Verdicts } from '../verdicts.ts'

/** A minute at 16 kHz. */
const mostBytes = 60_000 * 32

interface Gate {
  readonly itemId: string
  isOpen: boolean
  isShut: boolean
  bytes: number
  readonly waiting: (() => void)[]
}

export class Gates {
  readonly verdicts: Verdicts
  readonly #overflows: () => void
  #now: Gate | undefined

  constructor(interruptions: 'told' | undefined, overflows: () => void) {
    this.verdicts = new Verdicts(interruptions)
    this.#overflows = overflows
  }

  begin(itemId: string): void {
    const gate: Gate = { itemId, isOpen: false, isShut: false, bytes: 0, waiting: [] }
    this.#now = gate
    this.verdicts.of(itemId, (isMeant) => {
      gate.isOpen = isMeant
      gate.isShut = !isMeant
      for (const go of gate.waiting.splice(0)) if (isMeant) go()
    })
  }

  /** `bytes` of audio, or nought for anything else. */
  pass(go: () => void, bytes = 0): void {
    const gate = this.#now
    if (gate === undefined || gate.isOpen) go()
    else if (!gate.isShut) {
      gate.bytes += bytes
      if (gate.bytes > mostBytes) this.#overflows()
      else gate.waiting.push(go)
    }
  }

  /** False: nobody knows yet whether it is meant. */
  get isJudged(): boolean {
    return this.#now === undefined || this.#now.isOpen || this.#now.isShut
  }

  end(): void {
    this.#now = undefined
  }
}
