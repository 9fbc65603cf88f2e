// The player's pause: taken as soon as a voice is heard over the agent's, ended when that voice is silent or was meant.

import type { Leg } from '../leg.ts'

/** A voice of this length is no click; together with a frame and the way to the player it stays under 200 ms. */
const holdMs = 100
/** A player that was never released would be mute for ever. */
const longestMs = 10_000

export class Hold {
  readonly #leg: Pick<Leg, 'hold'>
  readonly #onChange: (on: boolean, nowMs: number) => void
  #sinceMs: number | undefined
  /** Sound that goes on for so long is no voice that waits for its turn. */
  #isSpent = false

  constructor(leg: Pick<Leg, 'hold'>, onChange: (on: boolean, nowMs: number) => void) {
    this.#leg = leg
    this.#onChange = onChange
  }

  /** Whether the player can be asked to. */
  get isPossible(): boolean {
    return this.#leg.hold !== undefined
  }

  get isOn(): boolean {
    return this.#sinceMs !== undefined
  }

  look(voice: { readonly isOn: boolean; readonly speechMs: number }, mayHold: boolean, nowMs: number): void {
    if (!voice.isOn) this.#isSpent = false
    if (this.#sinceMs !== undefined && nowMs - this.#sinceMs > longestMs) {
      this.#isSpent = true
      this.release(nowMs)
    } else if (this.isOn && !(voice.isOn && mayHold)) this.release(nowMs)
    else if (!this.isOn && !this.#isSpent && mayHold && voice.isOn && voice.speechMs >= holdMs) this.#set(true, nowMs)
  }

  release(nowMs: number): void {
    if (this.isOn) this.#set(false, nowMs)
  }

  /** The player is gone; the next one plays. */
  forget(nowMs: number): void {
    if (!this.isOn) return
    this.#sinceMs = undefined
    this.#onChange(false, nowMs)
  }

  #set(on: boolean, nowMs: number): void {
    if (this.#leg.hold === undefined) return
    this.#sinceMs = on ? nowMs : undefined
    this.#onChange(on, nowMs)
    this.#leg.hold(on)
  }
}
