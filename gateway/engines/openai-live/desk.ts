// Work for the voice: any engine that answers in writing, with the session's own tools. In a written conversation it answers
// the person itself, as it is; behind the voice its answers are handed over to be spoken.

import { newId } from '../../platform/ids.ts'
import type {
  CommandAnswer,
  Engine,
  EngineBrief,
  EngineCommand,
  EngineEvent,
  EngineOptions,
  MeterKey,
  Meters,
} from '../engines.ts'
import { Recent } from '../recent.ts'
import { backendInstructions } from './commands.ts'
import type { Conversation } from './conversation.ts'

type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

export interface DeskFactory {
  /** Names its tokens on the bill. */
  readonly model: string
  /** Where that depends on the agent. */
  modelOf?(brief: EngineBrief): string
  /** `history`: the conversation at that moment, for an engine that replaces a lost one. */
  open(options: EngineOptions, history: () => EngineBrief['history']): Engine
}

/** Who an answer is for: a piece of work the voice asked for, or (null) the person who wrote. */
export type Origin = string | null

export interface DeskEvents {
  /** Whether answers are spoken. */
  speaks(): boolean
  /** A written conversation's own event, or one that is the same in any. */
  pass(event: EngineEvent): void
  relay(text: string, origin: Origin): void
  called(call: Event<'toolCall'>): void
  failed(reason: string, origin: Origin): void
  usage(event: Event<'usage'>): void
  closed(event: Event<'closed'>): void
}

export class Desk {
  readonly #factory: DeskFactory
  readonly #options: EngineOptions
  readonly #conversation: Conversation
  readonly #on: DeskEvents
  #brief: EngineBrief
  #engine: Engine | undefined
  #ready: Event<'ready'> | undefined
  /** Up to here it knows the conversation. */
  #known: number
  #origins: Origin[] = []
  /** Whose work goes on when the results of its calls are there. */
  #called: Origin | undefined
  #answer:
    | { readonly id: string; readonly origin: Origin; readonly direct: boolean; text: string; calls: boolean }
    | undefined
  readonly #typed = new Recent<true>()
  /** Each engine's own figures begin at nought. */
  #spent: Meters = {}
  #used: Meters = {}
  #paused = false

  constructor(factory: DeskFactory, options: EngineOptions, conversation: Conversation, on: DeskEvents) {
    this.#factory = factory
    this.#options = options
    this.#brief = options.brief
    this.#conversation = conversation
    this.#on = on
    this.#known = conversation.end
  }

  get model(): string {
    return this.#factory.modelOf?.(this.#options.brief) ?? this.#factory.model
  }

  get ready(): Event<'ready'> | undefined {
    return this.#ready
  }

  /** An answer is due, or the results of its calls are. */
  get working(): boolean {
    return this.#answer !== undefined || this.#origins.length > 0 || this.#called !== undefined
  }

  get bufferedBytes(): number {
    return this.#engine?.bufferedBytes ?? 0
  }

  get isOpen(): boolean {
    return this.#engine !== undefined
  }

  /** Connects, so that the first piece of work need not wait for it. */
  warm(): void {
    this.#open()
  }

  #open(): Engine {
    if (this.#engine !== undefined) return this.#engine
    const conversation = this.#conversation
    this.#known = conversation.end
    const brief: EngineBrief = {
      ...this.#brief,
      instructions: backendInstructions(this.#brief),
      model: '',
      outputModality: 'text',
      turnDetection: 'none',
      history: conversation.history,
    }
    const open = { ...this.#options, brief, onEvent: (event: EngineEvent) => this.#event(event, engine) }
    const engine: Engine = this.#factory.open(open, () => conversation.history)
    this.#engine = engine
    if (this.#paused) engine.pause()
    for (const { role, text } of conversation.since(0)) if (role === 'note') engine.send({ type: 'note', text })
    engine.start()
    return engine
  }

  // From the session

  wrote(command: Extract<EngineCommand, { type: 'userText' }>): CommandAnswer {
    this.#catchUp()
    this.#typed.set(command.itemId, true)
    const { raw: _, ...plain } = command
    const answer = this.#open().send(plain)
    if ('reason' in answer) return answer
    this.#conversation.add('user', command.text, command.itemId)
    this.#known = this.#conversation.end
    return answer
  }

  /** A sentence to say, a place to go on from: of a written conversation. */
  send(command: Extract<EngineCommand, { type: 'say' | 'goOn' | 'cancel' | 'note' | 'toolResult' }>): CommandAnswer {
    return this.#open().send(command)
  }

  respond(): CommandAnswer {
    this.#catchUp()
    return this.#ask(this.#called ?? null)
  }

  /** A piece of work of which the voice told nothing but that it is wanted: what was said last is the task. */
  delegated(id: string): void {
    const answer = this.#catchUp() ? this.#ask(id) : this.#askAgain(id)
    if ('reason' in answer) this.#on.failed(answer.reason, id)
  }

  #askAgain(id: string): CommandAnswer {
    this.#open().send({
      type: 'note',
      text: 'The person waits for you to do what was asked last, or to go on with it.',
    })
    return this.#ask(id)
  }

  #ask(origin: Origin): CommandAnswer {
    const answer = this.#open().send({ type: 'respond' })
    if ('reason' in answer) return answer
    this.#called = undefined
    this.#origins.push(origin)
    return answer
  }

  /** Tells what was said aloud since it was last asked. False: nobody but the agent said anything. */
  #catchUp(): boolean {
    const lines = this.#engine === undefined ? [] : this.#conversation.since(this.#known)
    const engine = this.#open()
    this.#known = this.#conversation.end
    for (const { role, text } of lines) {
      if (role === 'user') engine.send({ type: 'userText', itemId: newId('item'), text })
      else if (role === 'agent') engine.send({ type: 'note', text: `You have said aloud: ${JSON.stringify(text)}` })
    }
    return lines.some(({ role }) => role === 'user')
  }

  /** Stops the answer that is being made for whoever wrote. Work for the voice goes on. */
  cancel(): void {
    const origin = this.#answer?.origin ?? this.#origins[0]
    if (this.#engine !== undefined && this.working && origin === null) this.#engine.send({ type: 'cancel' })
  }

  update(fields: Partial<Pick<EngineBrief, 'instructions' | 'tools'>>): CommandAnswer {
    this.#brief = { ...this.#brief, ...fields }
    if (this.#engine === undefined) return { is: 'applied' }
    const { instructions, tools } = fields
    return this.#engine.send({
      type: 'update',
      fields: {
        ...(instructions === undefined ? {} : { instructions: backendInstructions({ instructions }) }),
        ...(tools === undefined ? {} : { tools }),
      },
    })
  }

  pause(): void {
    this.#paused = true
    this.#engine?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#engine?.resume()
  }

  close(): void {
    this.#engine?.close()
  }

  // From its engine

  #event(event: EngineEvent, engine: Engine): void {
    if (event.type === 'usage') this.#usage(event, engine)
    if (engine !== this.#engine) return
    switch (event.type) {
      case 'ready':
        this.#ready = event
        this.#on.pass(event)
        return
      case 'closed':
        this.#gone(event)
        return
      case 'responseStarted':
        this.#begins(event)
        return
      case 'agentItem':
      case 'agentText':
        this.#writes(event)
        return
      case 'toolCall':
        if (this.#answer !== undefined) this.#answer.calls = true
        if (this.#answer?.direct === true) this.#on.pass(event)
        else this.#on.called(event)
        return
      case 'responseDone':
        this.#done(event)
        return
      case 'userItem':
        if (this.#typed.has(event.itemId)) this.#on.pass(event)
        return
      case 'error':
        this.#mistaken(event)
        return
      case 'rateLimited':
      case 'native':
        this.#on.pass(event)
        return
      default:
      // It neither hears nor speaks.
    }
  }

  #usage(event: Event<'usage'>, engine: Engine): void {
    if (engine === this.#engine) this.#used = sum(this.#spent, event.meters)
    this.#on.usage({ ...event, meters: this.#used })
  }

  #begins(event: Event<'responseStarted'>): void {
    const direct = !this.#on.speaks()
    this.#answer = { id: event.responseId, origin: this.#origins.shift() ?? null, direct, text: '', calls: false }
    if (direct) this.#on.pass(event)
  }

  #writes(event: Event<'agentItem' | 'agentText'>): void {
    const answer = this.#answer
    if (answer?.id !== event.responseId) return
    if (event.type === 'agentText' && event.final !== undefined) answer.text = `${answer.text} ${event.final}`.trim()
    if (answer.direct) this.#on.pass(event)
  }

  #done(event: Event<'responseDone'>): void {
    const answer = this.#answer
    if (answer?.id !== event.responseId) return
    this.#answer = undefined
    const { origin, text, direct, calls } = answer
    if (calls) this.#called = origin
    if (direct) {
      this.#conversation.add('agent', text)
      this.#known = this.#conversation.end
      this.#on.pass(event)
    } else if (event.status === 'failed') this.#on.failed(event.reason ?? 'failed', origin)
    else if (event.status !== 'cancelled' && text !== '') this.#on.relay(text, origin)
  }

  /** An answer that did not even begin. */
  #mistaken(event: Event<'error'>): void {
    const isLost =
      !event.benign && event.source === 'provider' && this.#answer === undefined && this.#origins.length > 0
    const origin = isLost ? this.#origins.shift() : undefined
    if (typeof origin === 'string') this.#on.failed(event.code, origin)
    else this.#on.pass(event)
  }

  /** The next piece of work opens another; what was under way is told to have failed. */
  #gone(event: Event<'closed'>): void {
    const waiting = [...(this.#answer === undefined ? [] : [this.#answer.origin]), ...this.#origins]
    const wasReady = this.#ready !== undefined
    this.#engine = undefined
    this.#ready = undefined
    this.#spent = this.#used
    this.#answer = undefined
    this.#origins = []
    this.#called = undefined
    this.#on.closed(wasReady ? event : { ...event, cause: event.cause === 'asked' ? 'asked' : 'refused' })
    for (const origin of waiting) if (event.cause !== 'asked') this.#on.failed(event.code, origin)
  }
}

function sum(a: Meters, b: Meters): Meters {
  const all: Record<string, number> = { ...a }
  for (const key of Object.keys(b) as MeterKey[]) all[key] = (all[key] ?? 0) + (b[key] ?? 0)
  return all
}
