// What an answer says, as events and for the conversation. It begins with its first word or sound: an answer of nothing but
// calls has none.

import type { Clock } from '../../platform/clock.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import type { EngineEvent } from '../engines.ts'
import type { Conversation, Said } from './conversation.ts'
import type { MouthEvents } from './mouth.ts'

export interface ItemNeeds {
  readonly clock: Clock
  readonly conversation: Conversation
  readonly responseId: string
  readonly said: Said
  readonly spoken: boolean
  emit(event: EngineEvent): void
}

export class Item implements MouthEvents {
  readonly #needs: ItemNeeds
  readonly #base: { readonly source: 'provider'; readonly responseId: string; readonly itemId: string }
  #state: 'new' | 'open' | 'closed' = 'new'
  #isMuted = false

  constructor(needs: ItemNeeds) {
    this.#needs = needs
    this.#base = { source: 'provider', responseId: needs.responseId, itemId: needs.said.itemId }
  }

  words(delta: string): void {
    if (!this.#opens()) return
    const { said, spoken, emit } = this.#needs
    said.words(delta)
    emit({ type: 'agentText', ...this.#base, spoken, delta })
  }

  audio(pcm: Buffer): void {
    if (!this.#opens()) return
    const { said, clock, emit } = this.#needs
    const ms = pcm.length / bytesPerMs
    said.sound(ms, clock.monotonicMs())
    emit({ type: 'audio', ...this.#base, pcm, ms })
  }

  mute(): void {
    this.#isMuted = true
  }

  /** As far as it got. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    const { said, spoken, emit } = this.#needs
    if (spoken) emit({ type: 'audioDone', ...this.#base })
    emit({ type: 'agentText', ...this.#base, spoken, final: said.text })
  }

  #opens(): boolean {
    if (this.#isMuted || this.#state === 'closed') return false
    if (this.#state === 'new') {
      this.#state = 'open'
      this.#needs.conversation.agent(this.#needs.said)
      this.#needs.emit({ type: 'agentItem', ...this.#base })
    }
    return true
  }
}
