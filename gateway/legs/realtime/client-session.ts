// The session as one client has it: what it may change is changed in engine and leg, and what it is told of it.

import type { Brief } from '../../agents/agents.ts'
import type { CommandAnswer, EngineCommand, EngineSettings, EngineTool } from '../../engines/engines.ts'
import type { LegPort } from '../../sessions/sessions.ts'
import type { RealtimeLeg } from './realtime-leg.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { changeOf } from './session-change.ts'
import type { SessionFields } from './session-fields.ts'
import { sessionObject } from './session-object.ts'
import { type Detection, type LegWanted, type Policy, type Present, unsupported, type Wanted } from './session-part.ts'

export interface ClientSessionNeeds {
  readonly leg: Pick<RealtimeLeg, 'sound' | 'transcripts'>
  readonly port: Pick<LegPort, 'command' | 'capabilities'>
  readonly brief: Brief
  readonly serverTools: readonly EngineTool[]
  readonly sessionId: string
  readonly model: string
  /** Our own protocol, whose audio is binary. */
  readonly parley: boolean
  readonly modality: { current: 'audio' | 'text' }
}

type Rights = Policy['brief']

export class ClientSession {
  readonly #needs: ClientSessionNeeds
  #tools: readonly EngineTool[] = []
  #instructions: string | undefined
  #voice: string
  #detection: Detection
  #settings: EngineSettings
  #native: Readonly<Record<string, unknown>> = {}

  constructor(needs: ClientSessionNeeds) {
    this.#needs = needs
    this.#voice = needs.brief.voice
    this.#detection = needs.brief.turnDetection
    this.#settings = needs.brief.settings
  }

  get voice(): string {
    return this.#voice
  }

  get present(): Present {
    return {
      instructions: this.#instructions,
      tools: this.#tools,
      voice: this.#voice,
      modality: this.#needs.modality.current,
      detection: this.#detection,
      settings: this.#settings,
      native: this.#native,
    }
  }

  /** Nothing has changed when it is refused. `rights`: of somebody else, who has bound this to the client's secret. */
  update(update: SessionFields, eventId: string | undefined, rights: Rights = this.#needs.brief): Refusal | undefined {
    const { port, parley } = this.#needs
    const change = changeOf(update, this.present, { brief: rights, capabilities: port.capabilities })
    if (change.is === 'refused') return change
    if (
      parley &&
      [change.leg.inputFormat, change.leg.outputFormat].some((each) => (each ?? 'audio/pcm') !== 'audio/pcm')
    )
      return unsupported('Clients of parley.v1 send and receive audio/pcm.', 'session.audio')
    const refused = this.#apply(change.fields, eventId) ?? this.#forward(change.native, eventId)
    if (refused === undefined) this.#own(change.leg)
    return refused
  }

  #apply(fields: Wanted, eventId: string | undefined): Refusal | undefined {
    if (Object.keys(fields).length === 0) return undefined
    const { serverTools, modality } = this.#needs
    const own = fields.tools?.filter((tool) => !serverTools.some((ours) => ours.name === tool.name))
    const tools = own === undefined ? {} : { tools: [...serverTools, ...own] }
    const id = eventId === undefined ? {} : { eventId }
    const refused = this.#command({ type: 'update', fields: { ...fields, ...tools }, ...id })
    if (refused !== undefined) return refused
    this.#tools = own ?? this.#tools
    this.#instructions = fields.instructions ?? this.#instructions
    this.#voice = fields.voice ?? this.#voice
    this.#detection = fields.turnDetection ?? this.#detection
    this.#settings = { ...this.#settings, ...fields.settings }
    modality.current = fields.outputModality ?? modality.current
    return undefined
  }

  /** Settings in the provider's own words, for an engine that speaks the client's protocol. */
  #forward(native: Readonly<Record<string, unknown>>, eventId: string | undefined): Refusal | undefined {
    if (Object.keys(native).length === 0) return undefined
    const id = eventId === undefined ? {} : { event_id: eventId }
    const event = { type: 'session.update', ...id, session: { type: 'realtime', ...native } }
    const refused = this.#command({ type: 'native', event })
    if (refused === undefined) this.#native = { ...this.#native, ...native }
    return refused
  }

  #own({ inputFormat, outputFormat, transcripts }: LegWanted): void {
    const { leg } = this.#needs
    if (inputFormat !== undefined) leg.sound.input = inputFormat
    if (outputFormat !== undefined) leg.sound.output = outputFormat
    if (transcripts !== undefined) leg.transcripts = transcripts
  }

  #command(command: EngineCommand): Refusal | undefined {
    const answer: CommandAnswer = this.#needs.port.command(command)
    return 'reason' in answer ? refusalOf(answer) : undefined
  }

  /** As the client may see it: the tenant's own instructions stay here. */
  get object(): Readonly<Record<string, unknown>> {
    const { modality, sessionId, model, leg } = this.#needs
    return sessionObject({
      sessionId,
      model,
      voice: this.#voice,
      instructions: this.#instructions ?? '',
      tools: this.#tools,
      modality: modality.current,
      detection: this.#detection,
      settings: this.#settings,
      native: this.#native,
      inputFormat: leg.sound.input,
      outputFormat: leg.sound.output,
      transcripts: leg.transcripts,
    })
  }
}
