// One answer, from the question to the last of its sound. Thinking and speaking overlap; a model that breaks off is followed
// by the next one, which is asked for what follows.

import type { Clock } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { EngineEvent } from '../engines.ts'
import type { Gate } from '../pace.ts'
import { sentences } from '../sentences.ts'
import { failureOf, PartFailure } from '../text/failure.ts'
import type { Call, Llm, Piece } from '../text/model.ts'
import type { Health } from '../text/order.ts'
import { Patience, type Times } from '../text/patience.ts'
import { Tally } from '../text/tally.ts'
import { type Conversation, Said } from './conversation.ts'
import { Item } from './item.ts'
import { Mouth, type MouthNeeds } from './mouth.ts'
import { type Ask, promptOf } from './prompt.ts'
import { type Sink, SpokenSink, WrittenSink } from './sink.ts'

export interface AnswerNeeds {
  readonly clock: Clock
  readonly gate: Gate
  readonly times: Times
  readonly health: Health
  readonly llms: readonly Llm[]
  readonly mouth: Pick<MouthNeeds, 'voices' | 'voice' | 'taken'>
  readonly conversation: Conversation
  emit(event: EngineEvent): void
  /** A completion begins: it is on the bill until `counted`. */
  counting(tally: Tally): void
  counted(tally: Tally): void
}

/** `say`: words that are given. Otherwise the model is asked. */
export type Wish =
  | { readonly is: 'say'; readonly text: string; readonly spoken: boolean }
  | ({ readonly is: 'think'; readonly voice?: string } & Ask)

export type End =
  | { readonly status: 'completed' }
  | { readonly status: 'cancelled'; readonly reason: 'turn_detected' | 'client_cancelled' }
  | { readonly status: 'incomplete'; readonly reason: 'max_output_tokens' | 'content_filter' }
  | { readonly status: 'failed'; readonly failure: PartFailure }

const completed: End = { status: 'completed' }

export class Answer {
  readonly id = newId('resp')
  readonly #needs: AnswerNeeds
  readonly #wish: Wish
  readonly #said = new Said(newId('item'))
  readonly #item: Item
  readonly #stop = new AbortController()
  /** The item is not wanted any more; the answer may still call tools. */
  readonly #mute = new AbortController()
  /** Nobody can say what the model still writes. */
  readonly #vain = new AbortController()
  #reason: 'turn_detected' | 'client_cancelled' = 'client_cancelled'
  #hasBegun = false

  constructor(needs: AnswerNeeds, wish: Wish) {
    this.#needs = needs
    this.#wish = wish
    this.#item = new Item({ ...needs, responseId: this.id, said: this.#said, spoken: wish.spoken })
  }

  stop(reason: 'turn_detected' | 'client_cancelled'): void {
    if (this.#stop.signal.aborted) return
    this.#reason = reason
    this.#said.cut(this.#needs.clock.monotonicMs())
    this.#stop.abort()
  }

  /** What it has said, when it is this item. */
  saidAs(itemId: string): Said | undefined {
    return this.#said.itemId === itemId ? this.#said : undefined
  }

  mute(): void {
    this.#item.mute()
    this.#mute.abort()
  }

  /** Never rejects. Emits everything but the end of the response. */
  async run(): Promise<End> {
    const { end, calls } = this.#wish.spoken ? await this.#aloud() : await this.#inWriting()
    this.#item.close()
    if (this.#stop.signal.aborted) return { status: 'cancelled', reason: this.#reason }
    if (end.status === 'completed') for (const call of calls) this.#call(call)
    return end
  }

  async #aloud(): Promise<Thought> {
    const { mouth: voices, ...needs } = this.#needs
    const signal = AbortSignal.any([this.#stop.signal, this.#mute.signal])
    const voice = this.#wish.is === 'think' ? (this.#wish.voice ?? voices.voice) : voices.voice
    const mouth = new Mouth({ ...needs, ...voices, voice }, this.#item, signal)
    let mouthFailure: PartFailure | undefined
    const speaking = mouth.run().catch((thrown: unknown) => {
      mouthFailure = failureOf(thrown)
      this.#vain.abort()
    })
    const thought = await this.#fill(new SpokenSink(mouth))
    mouth.end()
    await speaking
    return mouthFailure === undefined ? thought : { end: { status: 'failed', failure: mouthFailure }, calls: [] }
  }

  #inWriting(): Promise<Thought> {
    return this.#fill(new WrittenSink(this.#item, this.#needs.gate, this.#stop.signal))
  }

  async #fill(sink: Sink): Promise<Thought> {
    if (this.#wish.is === 'think') return this.#think(this.#wish, sink)
    for (const sentence of sentences(this.#wish.text)) await sink.sentence(sentence)
    return { end: completed, calls: [] }
  }

  async #think(ask: Ask, sink: Sink): Promise<Thought> {
    const { health, llms } = this.#needs
    let failure = new PartFailure('llm_unavailable')
    sink.already(ask.after)
    for (const { part: llm, isLast } of health.turns(llms, () => failure)) {
      const after = [ask.after, sink.given].filter((text) => text !== '').join(' ')
      try {
        const thought = await this.#ask(llm, { ...ask, after }, { sink, isLast })
        health.worked(llm.name)
        return thought
      } catch (thrown) {
        if (this.#stop.signal.aborted || this.#vain.signal.aborted) break
        failure = failureOf(thrown)
        health.failed(llm.name, failure)
        sink.broken()
      }
    }
    return { end: { status: 'failed', failure }, calls: [] }
  }

  async #ask(
    llm: Llm,
    ask: Ask,
    { sink, isLast }: { readonly sink: Sink; readonly isLast: boolean },
  ): Promise<Thought> {
    const { clock, times, conversation } = this.#needs
    const patience = new Patience(clock, AbortSignal.any([this.#stop.signal, this.#vain.signal]))
    const tally = new Tally()
    this.#needs.counting(tally)
    patience.wait(isLast ? times.lastMs : times.firstMs)
    const calls: Call[] = []
    let end: End = completed
    try {
      for await (const piece of llm.answer(promptOf(conversation, ask, this.#said), {
        signal: patience.signal,
        tally,
      })) {
        // Whoever reads slowly is not to be blamed on the model.
        patience.rest()
        this.#begun()
        if (piece.is === 'text') await sink.text(piece.delta)
        else if (piece.is === 'call') calls.push(piece.call)
        else end = endOf(piece)
        patience.wait(times.stallMs)
      }
      await sink.whole()
      return { end, calls }
    } finally {
      patience.rest()
      this.#needs.counted(tally)
    }
  }

  #begun(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#needs.emit({ type: 'firstToken', source: 'provider', responseId: this.id })
  }

  /** An id that is missing, or was used before, would not tell two calls apart. */
  #call(call: Call): void {
    const { conversation } = this.#needs
    const callId = call.callId === '' || conversation.hasCall(call.callId) ? newId('call') : call.callId
    conversation.call({ ...call, callId })
    this.#needs.emit({
      type: 'toolCall',
      source: 'provider',
      responseId: this.id,
      itemId: newId('item'),
      callId,
      name: call.name,
      arguments: call.arguments,
    })
  }
}

interface Thought {
  readonly end: End
  readonly calls: readonly Call[]
}

function endOf({ reason }: Extract<Piece, { is: 'end' }>): End {
  if (reason === 'stop') return completed
  return { status: 'incomplete', reason: reason === 'length' ? 'max_output_tokens' : 'content_filter' }
}

/** What the session is told of the end of an answer. */
export function endEvents(responseId: string, end: End): readonly EngineEvent[] {
  const done = { type: 'responseDone', source: 'local', responseId } as const
  if (end.status !== 'failed') return [{ ...done, ...end }]
  const { code, retryAfterMs } = end.failure
  const limited = { type: 'rateLimited', source: 'provider', retryAfterMs } as const
  return [...(code === 'rate_limit_exceeded' ? [limited] : []), { ...done, status: 'failed', reason: code }]
}
