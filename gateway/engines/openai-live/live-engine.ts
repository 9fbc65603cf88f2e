// One conversation over GPT-Live: joins the provider's session, mouth, hearing and whoever works behind the voice.

import type { Log } from '../../platform/log.ts'
import { accepted, applied, audioDropped } from '../answers.ts'
import type { Capabilities, CommandAnswer, Engine, EngineCommand, EngineEvent, EngineOptions } from '../engines.ts'
import { Appends } from './appends.ts'
import { capabilitiesOf } from './capabilities.ts'
import * as commands from './commands.ts'
import { Conversation } from './conversation.ts'
import { withoutSound } from './direct/direct-session.ts'
import type { VoiceEvent } from './events.ts'
import { Hearing } from './hearing.ts'
import { type LiveSessionFacts, type ProviderSession, type SessionEnd, samplesOf } from './live-session.ts'
import { LiveMeters } from './meters.ts'
import { Mouth } from './mouth.ts'
import type { LiveNeeds } from './needs.ts'
import { openVoice, type VoiceFacts } from './open-voice.ts'
import { Sayings } from './sayings.ts'
import { Voices } from './voices.ts'
import { Work } from './work.ts'

type Of<T extends EngineCommand['type']> = Extract<EngineCommand, { type: T }>
type Event<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

/** Whatever does not end by itself: the port's limit. */
const hardCloseMs = 3_000

type State = 'idle' | 'opening' | 'ready' | 'closing' | 'closed'

export class LiveEngine implements Engine {
  readonly kind = 'openai-live'
  readonly #needs: LiveNeeds
  readonly #options: EngineOptions
  readonly #log: Log
  readonly #conversation: Conversation
  readonly #meters = new LiveMeters()
  readonly #voices: Voices
  readonly #mouth: Mouth
  readonly #sayings: Sayings
  readonly #hearing: Hearing
  readonly #work: Work
  readonly #malformed = new Set<string>()
  readonly #direct: VoiceFacts['direct']
  #appends: Appends
  #brief: EngineOptions['brief']
  #state: State = 'idle'
  #overflowed = false

  constructor(needs: LiveNeeds, options: EngineOptions, direct?: VoiceFacts['direct']) {
    const { clock } = needs
    this.#needs = needs
    this.#direct = direct
    this.#options = options
    this.#brief = options.brief
    this.#log = needs.log.child({ tenantId: options.tenantId, sessionId: options.sessionId, engine: this.kind })
    this.#conversation = new Conversation(options.brief.history)
    this.#appends = new Appends(() => false)
    this.#mouth = new Mouth({
      clock,
      emit: (event) => this.#emit(event),
      working: () => this.#work.working,
      said: (itemId, text) => this.#conversation.add('agent', text, itemId),
      free: () => this.#sayings.next(),
    })
    this.#sayings = new Sayings({
      mouth: this.#mouth,
      appends: () => (this.#voice?.live === true ? this.#appends : undefined),
      emit: (event) => this.#emit(event),
    })
    this.#voices = this.#voicesOf()
    this.#hearing = new Hearing({
      ...{ clock, interruptions: options.brief.interruptions },
      emit: (event) => this.#emit(event),
      speaking: () => this.#mouth.speaking,
      began: () => {
        if (this.#mouth.speaking) this.#mouth.cut('turn_detected')
      },
      ended: () => this.#mouth.expect('speech'),
      understood: (itemId, text) => this.#conversation.add('user', text, itemId),
    })
    this.#work = this.#workOf()
  }

  #workOf(): Work {
    const { clock, desk, backendModel } = this.#needs
    return new Work({
      ...{ clock, desk, backendModel },
      options: this.#options,
      conversation: this.#conversation,
      meters: this.#meters,
      mouth: () => this.#mouth,
      hearing: () => this.#hearing,
      voice: () => this.#voice,
      appends: () => this.#appends,
      spoken: () => this.#spoken,
      emit: (event) => this.#emit(event),
      deskReady: (event) => this.#deskReady(event),
      deskClosed: (event) => this.#deskClosed(event),
    })
  }

  get capabilities(): Capabilities {
    return capabilitiesOf(this.#direct, this.#voices.lifeMs)
  }

  get bufferedBytes(): number {
    return this.#voice?.bufferedBytes ?? this.#work.desk.bufferedBytes
  }

  start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'opening'
    this.#work.start()
    if (this.#brief.outputModality === 'audio') this.#openVoice()
    else this.#work.desk.warm()
  }

  // The provider's session

  get #voice(): ProviderSession | undefined {
    return this.#voices.now
  }

  #voicesOf(): Voices {
    const { clock } = this.#needs
    return new Voices(
      { clock, log: this.#log, meters: this.#meters },
      {
        started: (facts) => this.#started(facts),
        event: (event) => this.#event(event),
        fed: (pcm) => this.#hearing.push(pcm),
        rateLimited: (retryAfterMs) => this.#emit({ type: 'rateLimited', source: 'provider', retryAfterMs }),
        used: (meters, source) => this.#emit({ type: 'usage', source, meters }),
        lost: (end) => this.#voiceLost(end),
        settled: () => this.#maybeClosed(),
      },
    )
  }

  #openVoice(): void {
    this.#hearing.restart()
    try {
      const facts = { brief: this.#brief, conversation: this.#conversation, direct: this.#direct }
      const voice = openVoice(this.#voices, this.#needs, facts)
      this.#appends = new Appends((event) => voice.send(event))
    } catch (thrown) {
      this.#log.warn({ err: thrown }, 'engine address unusable')
      // The caller still stands in start(): events come later, never out of it.
      queueMicrotask(() => this.#finish('refused', 'bad_address', 'the engine address is unusable'))
    }
  }

  #started({ id, model }: LiveSessionFacts): void {
    if (this.#state === 'opening') {
      this.#state = 'ready'
      this.#emit({ type: 'ready', source: 'provider', engineSessionId: id, model: model || this.#brief.model })
    }
    this.#work.warm()
    this.#sayings.next()
  }

  #voiceLost({ cause, code }: SessionEnd): void {
    if (this.#state === 'opening') this.#finish('refused', code, 'the provider refused the session')
    else this.#finish(cause === 'expired' || cause === 'hungUp' ? cause : 'lost', code, 'the provider’s session ended')
  }

  #event(event: VoiceEvent): void {
    switch (event.is) {
      case 'audio':
        this.#mouth.audio(event.pcm)
        return
      case 'said':
        this.#mouth.words(event)
        return
      case 'heard':
        this.#hearing.words(event)
        return
      case 'appended':
        this.#appends.appended(event.kind, event.eventId)
        return
      case 'delegated':
        this.#work.delegated(event.id, event.target)
        return
      case 'nested':
        if (this.#work.nested(event.event)) this.#emit({ type: 'native', source: 'provider', name: event.event.type })
        else this.#strange(event.event.type)
        return
      case 'error':
        this.#problem(event)
        return
      case 'malformed':
        this.#strange(event.name)
        return
      case 'gap':
        this.#appends.gap(event.isOver)
        return
      case 'other':
        this.#emit({ type: 'native', source: 'provider', name: event.name })
    }
  }

  /** Once for each kind of event: a provider that has changed says it ten times a second. */
  #strange(name: string): void {
    if (this.#malformed.has(name) || this.#malformed.size >= 32) return
    this.#malformed.add(name)
    const message = `the provider sent ${name} in a shape that is not known`
    this.#emit({ type: 'error', source: 'provider', code: 'malformed_event', message, benign: true })
  }

  #problem({ code, message, eventId }: Extract<VoiceEvent, { is: 'error' }>): void {
    if (code === 'rate_limit_exceeded') this.#emit({ type: 'rateLimited', source: 'provider', retryAfterMs: null })
    if (this.#appends.refused(eventId, code, message) || this.#work.refused(eventId, code)) return
    this.#emit({
      type: 'error',
      source: 'provider',
      code,
      message,
      benign: false,
      ...(eventId === undefined ? {} : { eventId }),
    })
  }

  #deskReady(event: Event<'ready'>): void {
    if (this.#state !== 'opening' || this.#voice !== undefined) return
    this.#state = 'ready'
    this.#emit(event)
  }

  #deskClosed({ cause, code, message }: Event<'closed'>): void {
    if (this.#state === 'closing') this.#maybeClosed()
    else if (this.#voice === undefined) this.#finish(cause, code, message)
    else this.#log.warn({ cause, code }, 'the text engine behind the voice is gone')
  }

  // From the session

  send(command: EngineCommand): CommandAnswer {
    if (this.#state === 'closing' || this.#state === 'closed') return { is: 'rejected', reason: 'closed' }
    switch (command.type) {
      case 'userText':
        return this.#work.wrote(command)
      case 'respond':
        return this.#work.respond()
      case 'say':
        return this.#spoken ? this.#sayings.ask({ is: 'say', text: command.text }) : this.#work.desk.send(command)
      case 'goOn':
        return this.#goOn(command)
      case 'note':
        return this.#work.note(command)
      case 'toolResult':
        return this.#work.toolResult(command)
      case 'cancel':
        return this.#cancel()
      case 'truncate':
        return this.#truncate(command)
      case 'update':
        return this.#update(command)
      case 'interrupt':
      case 'ignore':
        this.#hearing.judged(command)
        return applied
      case 'commitAudio':
      case 'clearAudio':
        return { is: 'unsupported', reason: 'no_turn_control' }
      case 'native':
        return { is: 'unsupported', reason: 'no_dialect' }
    }
  }

  #goOn(command: Of<'goOn'>): CommandAnswer {
    if (!this.#spoken) return this.#work.desk.send(command)
    if (command.after === '' && this.#work.unasked) return this.#work.respond()
    return this.#sayings.ask({ is: 'goOn', text: command.after })
  }

  get #spoken(): boolean {
    return this.#brief.outputModality === 'audio'
  }

  /** Work for the voice goes on: only what is being said, and what was asked in writing, stops. */
  #cancel(): CommandAnswer {
    this.#sayings.clear()
    this.#mouth.nothing()
    this.#work.desk.cancel()
    if (!this.#mouth.speaking) return accepted
    this.#appends.add('instructions', commands.stopSpeaking)
    queueMicrotask(() => this.#mouth.cut('client_cancelled'))
    return accepted
  }

  #truncate({ itemId, heardMs, text }: Of<'truncate'>): CommandAnswer {
    const known = this.#mouth.heard(itemId, heardMs)
    if (known === undefined) return applied
    const { ms } = known
    // The player's own account of the words is better than one by the provider's times.
    const { heard, unheard } = text ?? known
    this.#conversation.add('agent', heard, itemId)
    if (unheard === '' || this.#voice === undefined) return applied
    const told = () => {
      if (ms > 0) this.#emit({ type: 'truncated', source: 'local', itemId, heardMs: ms })
    }
    const sent = this.#appends.add('thinking', commands.heardNote({ heard, unheard }), null, told)
    return sent && ms > 0 ? accepted : applied
  }

  #update({ fields }: Of<'update'>): CommandAnswer {
    const { voice, turnDetection, instructions, tools, outputModality } = fields
    if (voice !== undefined && voice !== this.#brief.voice && this.#voice !== undefined) {
      return { is: 'rejected', reason: 'voice_locked' }
    }
    if (turnDetection === 'none') return { is: 'unsupported', reason: 'no_turn_control' }
    if (outputModality === 'text' && this.#direct !== undefined) return { is: 'unsupported', reason: 'direct_media' }
    this.#brief = { ...this.#brief, ...fields }
    if (instructions !== undefined || tools !== undefined) {
      const changed = {
        ...(instructions === undefined ? {} : { instructions }),
        ...(tools === undefined ? {} : { tools }),
      }
      this.#work.update(this.#brief, changed)
    }
    if (outputModality !== undefined && this.#state !== 'idle') this.#switch(outputModality)
    return accepted
  }

  #switch(modality: 'audio' | 'text'): void {
    if (modality === 'audio' && this.#voice === undefined) this.#openVoice()
    else if (modality === 'text' && this.#voice !== undefined) this.#leaveVoice()
  }

  #leaveVoice(): void {
    this.#sayings.clear()
    this.#voices.leave()
    this.#work.desk.warm()
    queueMicrotask(() => {
      this.#mouth.nothing()
      this.#mouth.cut('client_cancelled')
      this.#hearing.restart()
      if (this.#work.desk.ready !== undefined) this.#deskReady(this.#work.desk.ready)
    })
  }

  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void {
    if (this.#voice === undefined || this.#state === 'closing' || this.#state === 'closed') return
    const pcm = 'pcm' in input ? input.pcm : samplesOf(input.appendFrame)
    if (pcm === undefined || this.#voice.audio(pcm) || this.#overflowed) return
    this.#overflowed = true
    this.#emit(audioDropped)
  }

  pause(): void {
    for (const each of [this.#voices, this.#mouth, this.#work.desk]) each.pause()
  }

  resume(): void {
    for (const each of [this.#voices, this.#mouth, this.#work.desk]) each.resume()
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#state = 'closing'
    this.#quiet()
    this.#needs.clock.after(hardCloseMs, () => this.#finish('asked', 'asked', ''))
    this.#voices.leave()
    this.#work.desk.close()
    queueMicrotask(() => this.#maybeClosed())
  }

  /** When everybody has told what they cost. */
  #maybeClosed(): void {
    if (this.#state === 'closing' && !this.#voices.owing && !this.#work.desk.isOpen) this.#finish('asked', 'asked', '')
  }

  #quiet(): void {
    this.#work.close()
    this.#mouth.close()
    this.#hearing.close()
  }

  /** After a close was asked for only the bill still counts. */
  #emit(event: EngineEvent): void {
    if (this.#state === 'closed') return
    if (this.#state === 'closing' && event.type !== 'usage') return
    this.#options.onEvent(this.#direct === undefined ? event : withoutSound(event))
  }

  #finish(cause: Event<'closed'>['cause'], code: string, message: string): void {
    if (this.#state === 'closed') return
    this.#quiet()
    this.#state = 'closing'
    // Those that are not through tell what they know.
    this.#voices.cut()
    this.#work.desk.close()
    this.#state = 'closed'
    this.#options.onEvent({ type: 'closed', source: cause === 'asked' ? 'local' : 'provider', cause, code, message })
    if (cause !== 'asked') this.#log.warn({ cause, code }, 'engine closed')
  }
}
