// From a client's commands to the session: policy first, then intents. The same for the client itself and for whoever
// attached to its session.

import type { CommandAnswer } from '../../engines/engines.ts'
import { newId } from '../../platform/ids.ts'
import { bytesPerMs, limits } from '../../protocol/realtime.ts'
import type { LegPort } from '../../sessions/sessions.ts'
import { refusalOf } from '../realtime/refusal.ts'
import type { Append, ClientEvent, Event, InputItem } from './client-event.ts'
import type { Delegations } from './delegations.ts'
import { errorOf, type LiveError, type LiveEvent, liveError } from './live-error.ts'
import type { LiveLeg } from './live-leg.ts'
import { notYours, type Plan } from './session-plan.ts'
import type { Settings } from './settings.ts'
import { leastTokensOf } from './tokens.ts'

/** Whoever sent a command: errors go back to it alone. */
export interface Client {
  readonly trusted: boolean
  /** Opened the session; the others attached to it. */
  readonly isPrimary: boolean
}

export interface ControlsNeeds {
  readonly port: LegPort
  readonly leg: LiveLeg
  readonly plan: Plan
  readonly delegations: Delegations
  readonly settings: Settings
  readonly nowMs: () => number
  readonly tell: (event: LiveEvent, clientEventId?: string | null) => void
  readonly mute: (on: boolean) => void
  readonly close: (eventId: string | null | undefined) => void
}

const appendTokens = 500
const longestFixtureMs = 30_000

export class Controls {
  readonly #needs: ControlsNeeds

  constructor(needs: ControlsNeeds) {
    this.#needs = needs
  }

  /** What is wrong with it; undefined: it was done. */
  apply(event: ClientEvent, client: Client): LiveError | undefined {
    switch (event.type) {
      case 'session.start':
        return liveError('session_already_started', 'The session has started.', 'type')
      case 'session.input_audio.append':
        return liveError('invalid_value', 'Sound comes over the connection that opened the session.', 'type')
      case 'session.input_audio.mute':
      case 'session.input_audio.unmute':
        this.#needs.mute(event.type === 'session.input_audio.mute')
        this.#needs.tell({ type: `${event.type}d` }, event.event_id)
        return undefined
      case 'session.close':
        this.#needs.close(event.event_id)
        return undefined
      case 'response.item.create':
        return this.#notInClientMode() ?? this.#item(event.item, client)
      case 'response.create':
        return this.#notInClientMode() ?? this.#respond()
      case 'decision.create':
      case 'decision.item.create':
      case 'decision.item.delete':
        return liveError('unsupported', 'Decisions are not served here: no model answers their questions.', 'type')
      case 'transport.dtmf.send':
        return liveError('unsupported', 'Only a phone call has keys to press.', 'type')
      default:
        return client.trusted ? this.#trusted(event) : notYours(event.type)
    }
  }

  #trusted(event: Append | Event<'session.update' | 'session.output_audio.fixture.play'>): LiveError | undefined {
    switch (event.type) {
      case 'session.update':
        return this.#update(event)
      case 'session.output_audio.fixture.play':
        return this.#fixture(event)
      default:
        return this.#append(event)
    }
  }

  #update(event: Event<'session.update'>): LiveError | undefined {
    const error = this.#needs.settings.change(event.session)
    if (error === undefined)
      this.#needs.tell({ type: 'session.updated', session: this.#needs.settings.resource() }, event.event_id)
    return error
  }

  // Context

  #append(event: Append): LiveError | undefined {
    const { content, delegation_id: id } = event
    const { leg, delegations, nowMs, tell } = this.#needs
    if (leg.playsFixture)
      return liveError('output_audio_fixture_active', 'Nothing can be appended while a fixture plays.', 'type')
    if (leastTokensOf(content) > appendTokens)
      return liveError('string_above_max_length', `content holds at most ${appendTokens} tokens.`, 'content')
    if (id !== null && !delegations.has(id))
      return liveError('invalid_value', `There is no client delegation '${id}'.`, 'delegation_id')
    const startMs = nowMs()
    const error = this.#told(event)
    if (error === undefined) tell({ type: `${event.type}ed`, start_ms: startMs, end_ms: nowMs() }, event.event_id)
    return error
  }

  #told(event: Append): LiveError | undefined {
    const { port } = this.#needs
    switch (event.type) {
      case 'session.thinking.append':
        return wrong(port.command({ type: 'note', text: event.content }))
      case 'session.instructions.append':
        return this.#instruct(event.content)
      case 'session.commentary.append':
        return this.#comment(event)
    }
  }

  /** Acted on at once: what is being said is broken off for it. One that asks for silence gets silence. */
  #instruct(content: string): LiveError | undefined {
    const { port } = this.#needs
    const text = `Instruction of those you work for, to be followed from now on: ${content}`
    const error = wrong(port.command({ type: 'note', text }))
    if (error !== undefined) return error
    this.#silence()
    if (
      !/^\W*(?:please\s+)?(?:stop|be quiet|be silent|pause|wait|hold on|do not speak|don['’]t speak)\b/i.test(content)
    )
      port.respond()
    return undefined
  }

  #silence(): void {
    const { port, leg } = this.#needs
    if (!leg.isAnswering) return
    port.interrupt()
    if (leg.isMaking) port.cancel()
  }

  /** The first result of a delegation is what its call waits for; whatever else is to be said is said in its turn. */
  #comment({ content, delegation_id: id }: Append): LiveError | undefined {
    const { port, delegations } = this.#needs
    const callId = id === null ? undefined : delegations.take(id)
    if (id === null || callId === undefined) return wrong(port.command({ type: 'say', text: content }))
    const answer = port.toolResult(callId, content)
    if ('reason' in answer) {
      delegations.putBack(id, callId)
      return wrong(answer, callId)
    }
    port.respond()
    return undefined
  }

  // The backend

  #notInClientMode(): LiveError | undefined {
    if (this.#needs.plan.delegation.type === 'responses') return undefined
    return liveError('invalid_value', 'The session delegates to the client, not to a Responses backend.', 'type')
  }

  #item(item: InputItem, client: Client): LiveError | undefined {
    if (item.type === 'function_call_output') return this.#output(item, client)
    const { port } = this.#needs
    const content = typeof item.content === 'string' ? [{ type: 'input_text', text: item.content }] : item.content
    const text = textOf(content)
    if (content.some((part) => part.text === undefined))
      return liveError('unsupported_value', 'Only text can be written to the agent.', 'item.content')
    if (item.role !== 'user') {
      if (!client.trusted) return notYours('item.role')
      const words = item.role === 'assistant' ? `You have said before: ${JSON.stringify(text)}` : text
      return wrong(port.command({ type: 'note', text: words }))
    }
    if (!client.trusted && text.length > limits.userTextChars)
      return liveError(
        'string_above_max_length',
        `A message holds at most ${limits.userTextChars} characters.`,
        'item.content',
      )
    port.userText(newId('item'), text)
    return undefined
  }

  #output(item: Extract<InputItem, { type: 'function_call_output' }>, client: Client): LiveError | undefined {
    if (!client.trusted) return notYours('item.type')
    const { port, delegations } = this.#needs
    const output = typeof item.output === 'string' ? item.output : textOf(item.output)
    const answer = port.toolResult(item.call_id, output)
    if ('reason' in answer) return wrong(answer, item.call_id)
    delegations.answered(item.call_id)
    return undefined
  }

  #respond(): LiveError | undefined {
    const { port, delegations } = this.#needs
    if (delegations.unanswered > 0)
      return liveError('invalid_value', `${delegations.unanswered} function calls have no output yet.`, 'type')
    delegations.asked()
    port.respond()
    return undefined
  }

  // Sound of the client's own

  #fixture(event: Event<'session.output_audio.fixture.play'>): LiveError | undefined {
    const { leg, tell } = this.#needs
    const pcm = Buffer.from(event.audio, 'base64')
    if (pcm.length === 0 || pcm.length % 2 !== 0)
      return liveError('invalid_audio', 'A fixture is whole samples of PCM16, 24 kHz, mono.', 'audio')
    if (pcm.length > longestFixtureMs * bytesPerMs)
      return liveError('invalid_audio', 'A fixture is at most 30 s long.', 'audio')
    if (leg.playsFixture) return liveError('output_audio_fixture_active', 'A fixture is being played.', 'type')
    this.#silence()
    tell({ type: 'session.output_audio.fixture.playing' }, event.event_id)
    leg.playFixture(pcm, () => tell({ type: 'session.output_audio.fixture.played' }, event.event_id))
    return undefined
  }
}

/** An engine's or a session's "not now". */
function wrong(answer: CommandAnswer, subject?: string): LiveError | undefined {
  return 'reason' in answer ? errorOf(refusalOf(answer, subject)) : undefined
}

/** What of it is text; the schema lets other parts pass, to be refused by name. */
function textOf(parts: readonly { readonly text?: string | undefined }[]): string {
  return parts.flatMap(({ text }) => (text === undefined || text === '' ? [] : [text])).join('\n')
}
