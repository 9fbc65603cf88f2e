// What is done behind the voice, and by whom: the desk, or a backend at the provider while the conversation is spoken. Their
// answers come back as something for the voice to tell.

import type { Clock, Timer } from '../../platform/clock.ts'
import { newId } from '../../platform/ids.ts'
import { applied } from '../answers.ts'
import type { CommandAnswer, EngineBrief, EngineCommand, EngineEvent, EngineOptions } from '../engines.ts'
import type { Appends } from './appends.ts'
import { Backend } from './backend.ts'
import * as commands from './commands.ts'
import type { Conversation } from './conversation.ts'
import { Desk, type DeskFactory, type Origin } from './desk.ts'
import type { Hearing } from './hearing.ts'
import type { ProviderSession } from './live-session.ts'
import type { LiveMeters } from './meters.ts'
import type { Mouth } from './mouth.ts'

type Of<T extends EngineCommand['type']> = Extract<EngineCommand, { type: T }>
type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

/** Work is often delegated before the sentence that asks for it is complete. */
const sentenceMs = 1_500
const lookMs = 100
/** Thinking is no silence: whoever watches this engine is told so, well within his patience of 4 s. */
const pulseMs = 2_000

export interface WorkNeeds {
  readonly clock: Clock
  readonly desk: DeskFactory
  readonly backendModel: string | undefined
  readonly options: EngineOptions
  readonly conversation: Conversation
  readonly meters: LiveMeters
  readonly mouth: () => Mouth
  readonly hearing: () => Hearing
  /** The present session of the provider. */
  readonly voice: () => ProviderSession | undefined
  readonly appends: () => Appends
  /** Whether answers are to be spoken. */
  readonly spoken: () => boolean
  readonly emit: (event: EngineEvent) => void
  readonly deskReady: (event: Event<'ready'>) => void
  readonly deskClosed: (event: Event<'closed'>) => void
}

export class Work {
  readonly desk: Desk
  readonly #needs: WorkNeeds
  readonly #backend: Backend | undefined
  /** Somebody wrote something that nobody was asked to answer yet. */
  #unasked = false
  /** Work that waits for the end of the sentence. */
  readonly #timers = new Set<Timer>()
  #pulse: Timer | undefined

  constructor(needs: WorkNeeds) {
    this.#needs = needs
    const { emit, meters } = needs
    const called = (call: Event<'toolCall'>) => needs.mouth().called(call)
    const used = (figures: Event<'usage'>['meters']) => emit({ type: 'usage', source: 'provider', meters: figures })
    this.desk = new Desk(needs.desk, needs.options, needs.conversation, {
      speaks: () => needs.voice() !== undefined,
      pass: (event) => this.#pass(event),
      relay: (text, origin) => this.#relay(text, origin),
      called,
      failed: (reason, origin) => this.#failed(reason, origin),
      usage: (event) => used(meters.desk(this.desk.model, event.meters)),
      closed: (event) => needs.deskClosed(event),
    })
    this.#backend =
      needs.backendModel === undefined
        ? undefined
        : new Backend(needs.backendModel, meters, {
            send: (event) => needs.voice()?.send(event) ?? false,
            called,
            done: () => needs.mouth().expect('relay'),
            failed: (code) => this.#failed(code, null),
            usage: used,
          })
  }

  start(): void {
    this.#pulse = this.#needs.clock.every(pulseMs, () => {
      if (this.working) this.#needs.emit({ type: 'native', source: 'local', name: 'work.in_progress' })
    })
  }

  get working(): boolean {
    return this.desk.working || this.#backend?.working === true || this.#timers.size > 0
  }

  /** The backend at the provider, while there is a session of it. */
  get #present(): Backend | undefined {
    return this.#needs.spoken() ? this.#backend : undefined
  }

  /** A session has started: the first piece of work need not wait for a connection. */
  warm(): void {
    if (this.#present === undefined) this.desk.warm()
  }

  /** What the voice delegates to us, told without a word of what it is. */
  delegated(id: string, target: string): void {
    if (target !== 'client') return
    const { clock, hearing, voice } = this.#needs
    const untilMs = clock.monotonicMs() + sentenceMs
    const look = () => {
      if (hearing().open && clock.monotonicMs() < untilMs) this.#later(look)
      else if (voice() !== undefined) this.desk.delegated(id)
    }
    look()
  }

  #later(run: () => void): void {
    const timer = this.#needs.clock.after(lookMs, () => {
      this.#timers.delete(timer)
      run()
    })
    this.#timers.add(timer)
  }

  /** An event of the provider's backend. False: in a shape that says nothing. */
  nested(event: Readonly<Record<string, unknown>> & { readonly type: string }): boolean {
    return this.#backend?.nested(event) ?? true
  }

  /** True when the error was about work that was asked for. */
  refused(eventId: string | undefined, code: string): boolean {
    return this.#backend?.refused(eventId, code) === true
  }

  // From the session

  /** Where the answer to what was written is still to be asked for: that is what is asked for now. */
  get unasked(): boolean {
    return this.#unasked
  }

  wrote(command: Of<'userText'>): CommandAnswer {
    this.#unasked = true
    const { conversation, emit, appends, spoken } = this.#needs
    const { itemId, text } = command
    if (this.#present === undefined) {
      const answer = this.desk.wrote(command)
      if (spoken() && !('reason' in answer)) appends().add('thinking', commands.personWrote(text))
      return answer
    }
    const answer = this.#present.wrote(text)
    if ('reason' in answer) return answer
    conversation.add('user', text, itemId)
    queueMicrotask(() => emit({ type: 'userItem', source: 'inferred', itemId, spoken: false }))
    return answer
  }

  respond(): CommandAnswer {
    this.#unasked = false
    return this.#present?.respond() ?? this.desk.respond()
  }

  note(command: Of<'note'>): CommandAnswer {
    this.#needs.conversation.add('note', command.text)
    if (this.#needs.voice() !== undefined) this.#needs.appends().add('thinking', command.text)
    if (this.desk.isOpen) return this.desk.send(command)
    // Told with everything else when it is opened.
    if (this.#present === undefined) this.desk.warm()
    return applied
  }

  toolResult(command: Of<'toolResult'>): CommandAnswer {
    const { callId, output, foreign } = command
    if (this.#present === undefined) return this.desk.send(command)
    if (foreign === undefined) return this.#present.result(callId, output)
    return this.#present.wrote(`(The tool ${foreign} was called for this and has answered: ${output})`)
  }

  update(brief: EngineBrief, changed: Partial<Pick<EngineBrief, 'instructions' | 'tools'>>): void {
    this.desk.update(changed)
    const voice = this.#needs.voice()
    if (voice === undefined) return
    if (this.#backend !== undefined) voice.send(commands.backendChange(brief))
    const { instructions } = changed
    if (instructions !== undefined) this.#needs.appends().add('instructions', commands.newInstructions(instructions))
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#pulse?.cancel()
  }

  // From whoever works

  #pass(event: EngineEvent): void {
    const { wire: _, ...plain } = event
    if (plain.type === 'ready') this.#needs.deskReady(plain)
    else this.#needs.emit(plain)
  }

  /** What the desk answered, for the voice to tell in its own words. */
  #relay(text: string, origin: Origin): void {
    const { voice, appends, mouth } = this.#needs
    const to = voice()
    if (to === undefined) {
      this.#write(text)
      return
    }
    const isSent = appends().add('commentary', text, origin, (outcome) => {
      if (outcome.ok) mouth().expect('relay')
      // The piece of work belongs to a session that is over.
      else if (origin !== null && to === voice()) this.#relay(text, null)
      else mouth().wordless('failed', outcome.code)
    })
    if (!isSent) mouth().wordless('failed', 'queue_full')
  }

  /** The voice was switched off while the answer was being made. */
  #write(text: string): void {
    const { conversation, emit } = this.#needs
    const at = { source: 'inferred', responseId: newId('resp'), itemId: newId('item') } as const
    conversation.add('agent', text)
    emit({ type: 'responseStarted', source: 'inferred', responseId: at.responseId })
    emit({ type: 'agentItem', ...at })
    emit({ type: 'agentText', ...at, spoken: false, delta: text })
    emit({ type: 'agentText', ...at, spoken: false, final: text })
    emit({ type: 'responseDone', source: 'inferred', responseId: at.responseId, status: 'completed' })
  }

  #failed(reason: string, origin: Origin): void {
    if (origin === null) this.#needs.mouth().wordless('failed', reason)
    else this.#relay(commands.workFailed, origin)
  }
}
