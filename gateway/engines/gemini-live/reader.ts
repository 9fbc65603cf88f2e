// Provider messages → answers. The wire knows turns of the model, which end twice (when all is generated, and when the
// provider takes it as played) and begin without a word; and tools are called in the middle of them.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import type { EngineEvent, Meters } from '../engines.ts'
import { Recent } from '../recent.ts'
import { audioIn, callsIn, type FunctionCall, type ServerContent, type ServerMessage } from './events.ts'
import { UsageMeters } from './meters.ts'
import { type Beginning, type End, Said } from './said.ts'

/** Words follow their sound, by no rule: the text of an answer is taken as whole this long after the sound. */
const lateWordsMs = 250
/** Words that come before any sound belong to the answer that begins within this. */
const earlyWordsMs = 1_000
/** After a call the turn goes on only when its result is there; models that do not wait say a word in between. */
const afterCallMs = 150

export interface ReaderNeeds {
  readonly clock: Clock
  readonly emit: (event: EngineEvent) => void
  /** Of the answer that begins now. */
  readonly begins: () => Beginning
  readonly on: ReaderEvents
}

export interface ReaderEvents {
  /** Returns our id of the call. */
  called(call: FunctionCall): string
  cancelled(ids: readonly string[]): void
  /** Words of the person. */
  heard(words: { readonly text: string; readonly finished: boolean }): void
  /** The person spoke into the answer; told before the answer ends. */
  interrupted(): void
  /** An answer is about to begin, or a turn without one to end: who spoke has finished. */
  speechOver(): void
  /** The model's turn is over. `answered`: something was said or called in it; `metered`: its cost was told. */
  turnOver(turn: { readonly answered: boolean; readonly metered: boolean }): void
  /** Nothing is being answered any more; the turn itself may still be open. */
  free(): void
}

const completed: End = { status: 'completed', source: 'provider' }

export class Reader {
  readonly #needs: ReaderNeeds
  readonly #meters = new UsageMeters()
  readonly #items = new Recent<Said>()
  /** `settling`: all is generated or was stopped, and the provider has not closed the turn yet. */
  #phase: 'idle' | 'running' | 'settling' = 'idle'
  #now: Said | undefined
  /** The rest of the running turn is not wanted. */
  #gated = false
  /** Nor is the answer that has not begun. */
  #unwanted = false
  #answered = false
  #reported = false
  #tail: Timer | undefined
  #early: { readonly text: string; readonly atMs: number } | undefined
  #settlesSinceMs = 0
  /** An answer is due: a turn without content is one, and empty. */
  expecting = false

  constructor(needs: ReaderNeeds) {
    this.#needs = needs
  }

  get answering(): boolean {
    return this.#now !== undefined
  }

  get responseId(): string | undefined {
    return this.#now?.responseId
  }

  /** The model neither works nor is its answer taken as still playing. */
  get idle(): boolean {
    return this.#phase === 'idle' && this.#now === undefined
  }

  /** How long the provider has been taking the last answer as playing; 0 when it does not. */
  get settlingMs(): number {
    return this.#phase === 'settling' ? this.#needs.clock.monotonicMs() - this.#settlesSinceMs + 1 : 0
  }

  item(itemId: string): Said | undefined {
    return this.#items.get(itemId)
  }

  read(message: ServerMessage): void {
    const { serverContent, toolCall, toolCallCancellation, usageMetadata } = message
    if (serverContent !== undefined) this.#content(serverContent)
    // Not the end of the turn that the speech broke into: that one comes at once.
    if (serverContent?.turnComplete === true && this.#phase === 'idle') this.#needs.on.speechOver()
    if (this.#isEmptyTurn(serverContent)) this.#turnBegins()
    if (toolCall !== undefined) this.#calls(callsIn(toolCall))
    if (usageMetadata !== undefined) {
      this.#reported = true
      this.#usage(this.#meters.report(usageMetadata))
    }
    if (toolCallCancellation !== undefined) this.#needs.on.cancelled(toolCallCancellation.ids)
    if (serverContent !== undefined) this.#boundaries(serverContent)
  }

  /** What was asked for was answered with nothing. */
  #isEmptyTurn(content: ServerContent | undefined): boolean {
    return content?.turnComplete === true && this.#phase === 'idle' && this.expecting
  }

  #usage(meters: Meters | undefined): void {
    if (meters !== undefined) this.#needs.emit({ type: 'usage', source: 'provider', meters })
  }

  #content(content: ServerContent): void {
    const { inputTranscription: heard, outputTranscription } = content
    if (heard !== undefined) this.#needs.on.heard({ text: heard.text ?? '', finished: heard.finished === true })
    const words = outputTranscription?.text ?? ''
    const sound = audioIn(content)
    if (sound.length > 0) this.#sound(sound, words)
    else if (words !== '') this.#words(words)
  }

  #words(words: string): void {
    if (this.#now !== undefined) this.#now.words(words)
    else if (!this.#gated) {
      const before = this.#fresh()
      this.#early = { text: `${before}${words}`, atMs: this.#needs.clock.monotonicMs() }
    }
  }

  #fresh(): string {
    const early = this.#early
    this.#early = undefined
    return early !== undefined && this.#needs.clock.monotonicMs() - early.atMs < earlyWordsMs ? early.text : ''
  }

  #sound(sound: readonly Buffer[], words: string): void {
    this.#runs()
    if (this.#gated) return
    const said = this.#open()
    if (this.#cutUnbegun()) return
    said.words(`${this.#fresh()}${words}`)
    for (const pcm of sound) said.audio(pcm)
  }

  /** Content after the end of a turn is the next one's. */
  #runs(): void {
    if (this.#phase === 'running') return
    if (this.#now !== undefined) this.#end(completed)
    this.#turnBegins()
    this.#meters.worked()
    this.#phase = 'running'
    this.#gated = false
  }

  #turnBegins(): void {
    this.#meters.begins()
    this.#answered = false
    this.#reported = false
  }

  #open(): Said {
    this.#answered = true
    // More of an answer that a call seemed to end.
    if (this.#tail !== undefined) this.#endsIn(afterCallMs)
    if (this.#now !== undefined) return this.#now
    this.#needs.on.speechOver()
    this.expecting = false
    const said = new Said(this.#needs.begins(), this.#needs.emit)
    this.#now = said
    this.#items.set(said.itemId, said)
    return said
  }

  #calls(calls: readonly FunctionCall[]): void {
    this.#runs()
    // Nobody wants this answer: what it asks for must not be done.
    if (this.#gated || calls.length === 0) return
    const { responseId } = this.#open()
    if (this.#cutUnbegun()) return
    for (const call of calls) {
      const callId = this.#needs.on.called(call)
      const args = JSON.stringify(call.args)
      const { name } = call
      const itemId = newId('item')
      this.#needs.emit({ type: 'toolCall', source: 'provider', responseId, itemId, callId, name, arguments: args })
    }
    this.#endsIn(afterCallMs)
  }

  /** The result of a call is on its way: the same turn goes on, as another run of the model with its own cost. */
  resumes(): void {
    if (this.#phase !== 'running' || this.#gated) return
    this.#turnBegins()
    this.#meters.worked()
  }

  #boundaries(content: ServerContent): void {
    if (content.interrupted === true) this.#interrupted()
    if (content.generationComplete === true) this.#generated()
    if (content.turnComplete === true) this.#turnComplete(content.turnCompleteReason)
  }

  #interrupted(): void {
    if (this.#phase === 'idle') return
    // An answer that was stopped here is broken into by what is asked next, and nobody has spoken.
    if (!this.#gated) this.#needs.on.interrupted()
    this.#settles()
    this.#end({ status: 'cancelled', reason: 'turn_detected', source: 'provider' })
  }

  #generated(): void {
    if (this.#phase !== 'running') return
    this.#settles()
    this.#now?.audioEnds('provider')
    if (this.#now !== undefined) this.#endsIn(lateWordsMs)
  }

  #settles(): void {
    this.#phase = 'settling'
    this.#gated = false
    this.#settlesSinceMs = this.#needs.clock.monotonicMs()
  }

  #turnComplete(reason: string | undefined): void {
    const end = endOf(reason)
    const empty = this.#phase === 'idle' && this.expecting
    if (empty) this.#open()
    this.#cutUnbegun()
    this.#phase = 'idle'
    this.#gated = false
    const turn = { answered: this.#answered && !empty, metered: this.#reported || this.#meters.known }
    this.#end(end)
    this.#needs.on.turnOver(turn)
  }

  #endsIn(ms: number): void {
    this.#tail?.cancel()
    this.#tail = this.#needs.clock.after(ms, () => {
      this.#tail = undefined
      this.#end({ ...completed, source: 'inferred' })
    })
  }

  #end(end: End): void {
    this.#tail?.cancel()
    this.#tail = undefined
    const said = this.#now
    if (said === undefined) return
    this.#now = undefined
    said.ends(end)
    this.#needs.on.free()
  }

  /**
   * Stops the answer here: the wire has no word for it, so what the provider still makes of it is dropped. An answer that
   * is due ends when it begins. False: there is none.
   */
  cut(reason: 'turn_detected' | 'client_cancelled'): boolean {
    this.#early = undefined
    if (this.#now === undefined) {
      this.#unwanted ||= this.expecting && reason === 'client_cancelled'
      return this.#unwanted
    }
    if (this.#phase === 'running') this.#gated = true
    this.#end({ status: 'cancelled', reason, source: 'local' })
    return true
  }

  #cutUnbegun(): boolean {
    const unwanted = this.#unwanted && this.#now !== undefined
    if (!unwanted) return false
    this.#unwanted = false
    return this.cut('client_cancelled')
  }

  /** A turn that was under way is charged, and nobody will tell how much. */
  stop(): void {
    this.#tail?.cancel()
    this.#tail = undefined
    this.#usage(this.#meters.close())
  }
}

/** Source of the names: `TurnCompleteReason` of @google/genai 3.1.0. */
function endOf(reason: string | undefined): End {
  if (reason === undefined || reason === 'TURN_COMPLETE_REASON_UNSPECIFIED' || reason === 'NEED_MORE_INPUT') {
    return completed
  }
  const named = { reason: reason.toLowerCase(), source: 'provider' } as const
  return reason === 'MALFORMED_FUNCTION_CALL' ? { status: 'failed', ...named } : { status: 'incomplete', ...named }
}
