// The engine port: what a session may ask of a model's realtime side and what comes back. One adapter per provider
// implements it; nothing here knows a provider. Events arrive in one ordered stream through `EngineOptions.onEvent`.

import type { AnswerField, EngineSettings, Setting } from './settings.ts'
import type { EngineTool } from './text/model.ts'
import type { TextWish } from './text/text-model.ts'

export type { AnswerField, EngineSettings, Setting, TranscriptionSettings, TurnSettings } from './settings.ts'
export type { Call, EngineTool, Message } from './text/model.ts'
export type { ClassifyOption, TextChoice, TextModels, TextUse, TextWish } from './text/text-model.ts'

/** Where an event comes from: the provider said it, we measured it, or we concluded it. */
export type Source = 'provider' | 'local' | 'inferred'

export type AudioFormat = 'pcm16_24k'

export interface Capabilities {
  readonly conversation: 'turn' | 'continuous'
  readonly cancelSpeech: 'exact' | 'gate-only'
  readonly truncate: 'native' | 'note' | 'rewrite'
  readonly say: 'exact' | 'wording' | 'paraphrase'
  readonly tools: 'inline' | 'delegated' | 'none'
  readonly usage: 'cumulative' | 'delta'
  /** `direct`: sound goes between person and provider without us; `audio` events then have no samples. */
  readonly media: 'relayed' | 'direct'
  /** `words`: speech is transcribed; `speech`: only noticed (the keyless demo without a recogniser). */
  readonly hears: 'words' | 'speech'
  /** False: answers are written, whatever the brief asks. Missing: it speaks. */
  readonly speaks?: false
  readonly inputAudio: AudioFormat
  readonly outputAudio: AudioFormat
  /** Provider's session cap in milliseconds; null when it has none. */
  readonly maxDurationMs: number | null
  /** Session fields a later `update` may change. */
  readonly mutable: readonly ('instructions' | 'tools' | 'voice' | 'turnDetection' | 'outputModality')[]
  /** Finer settings it heeds; the others it cannot do. Missing: none. */
  readonly settings?: readonly Setting[]
  /** Fields of a client's own `response.create` it heeds, `aside` being an answer outside of the conversation. Missing: none. */
  readonly answers?: readonly AnswerField[]
  /** `openai-realtime-ga`: events carry `wire`, the provider's own frame, so that a leg of the same protocol forwards it as it is. */
  readonly dialect: 'openai-realtime-ga' | 'none'
}

/** What one session needs of its engine. Built from the agent's live config; never from the client. */
export interface EngineBrief {
  readonly instructions: string
  readonly voice: string
  readonly language: string
  readonly model: string
  readonly tools: readonly EngineTool[]
  readonly outputModality: 'audio' | 'text'
  /** Which models write, for engines that have a choice. */
  readonly text?: TextWish
  readonly turnDetection: 'server_vad' | 'semantic_vad' | 'none'
  readonly settings?: EngineSettings
  /**
   * `told`: speech stops nothing and is answered by nobody before `interrupt` says that it is meant, or `ignore` that it is
   * not. Missing: the engine stops for speech and answers it by itself.
   */
  readonly interruptions?: 'told'
  /** Earlier turns of the conversation, oldest first, for seeding. */
  readonly history: readonly { readonly role: 'user' | 'agent'; readonly text: string }[]
}

/** `raw`: the client's own event of the engine's dialect; it goes as it is, so that the provider answers the client. */
export type EngineCommand =
  /** Adds what the person wrote. Does not ask for an answer. `itemId` is chosen by the caller. */
  | {
      readonly type: 'userText'
      readonly itemId: string
      readonly text: string
      readonly raw?: Readonly<Record<string, unknown>>
    }
  /** Asks for an answer now. */
  | { readonly type: 'respond'; readonly raw?: Readonly<Record<string, unknown>> }
  /** Asks the engine to speak this sentence, as exactly as `capabilities.say` promises. */
  | { readonly type: 'say'; readonly text: string }
  /**
   * The answer in progress broke off after these words (another engine or another process spoke them): go on right there
   * and repeat nothing. Empty: nothing of it was said yet, so answer what was asked last. Asks for the answer too.
   */
  | { readonly type: 'goOn'; readonly after: string }
  /** Background information: changes what is known, not what is said now. */
  | { readonly type: 'note'; readonly text: string }
  | {
      readonly type: 'toolResult'
      readonly callId: string
      readonly output: string
      /** The tool's name, when another engine made the call: the result is told as something known. */
      readonly foreign?: string
      readonly raw?: Readonly<Record<string, unknown>>
    }
  /** Stop generating the answer in progress. */
  | { readonly type: 'cancel'; readonly responseId?: string; readonly raw?: Readonly<Record<string, unknown>> }
  /** The person heard this item only up to `heardMs` of its audio. `text`: which words that are, by the player's account. */
  | {
      readonly type: 'truncate'
      readonly itemId: string
      readonly heardMs: number
      readonly text?: { readonly heard: string; readonly unheard: string }
    }
  /** Of noticed speech, where interruptions are told: it is meant. What is being said ends; the speech is answered when it is over. */
  | { readonly type: 'interrupt'; readonly itemId: string }
  /** The same: it is not meant. Nothing ends and nothing is answered; noise and echo are no part of the conversation. */
  | { readonly type: 'ignore'; readonly itemId: string; readonly why: 'backchannel' | 'noise' | 'echo' }
  | { readonly type: 'commitAudio'; readonly raw?: Readonly<Record<string, unknown>> }
  | { readonly type: 'clearAudio'; readonly raw?: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'update'
      /** The client's id of the event: an error names it. */
      readonly eventId?: string
      readonly fields: Partial<
        Pick<EngineBrief, 'instructions' | 'voice' | 'tools' | 'turnDetection' | 'outputModality' | 'settings'>
      >
    }
  /** A provider's own event, forwarded verbatim to an engine of the same dialect. */
  | { readonly type: 'native'; readonly event: Readonly<Record<string, unknown>> & { readonly type: string } }

/** `applied`: done. `accepted`: sent, the provider will tell. `rejected`: not now, with a reason. `unsupported`: never. */
export type CommandAnswer =
  | { readonly is: 'applied' | 'accepted' }
  | { readonly is: 'rejected' | 'unsupported'; readonly reason: string }

/** Cumulative since the engine opened, disjoint (cached tokens are not counted again as input). Missing = not metered. */
type NamedMeter =
  | 'input.text.tokens'
  | 'input.audio.tokens'
  | 'input.image.tokens'
  | 'input.cached.text.tokens'
  | 'input.cached.audio.tokens'
  | 'input.cached.image.tokens'
  | 'output.text.tokens'
  | 'output.audio.tokens'
  | 'transcription.input.tokens'
  | 'transcription.output.tokens'
  | 'transcription.seconds'
  | 'speech.characters'
  /** Of sessions that the provider charges by the second. */
  | 'live.seconds'
  /**
   * Answers, transcriptions, calls or sessions whose usage the provider did not tell, or not to the end: no price book has a
   * cost for it, so the cost is unknown.
   */
  | 'unknown.usages'

/** Of the model that works behind the voice, e.g. `work.gpt-realtime-2_1.input.text.tokens`: its prices are its own. */
type WorkMeter = `work.${string}`

export type MeterKey = NamedMeter | WorkMeter

export type Meters = Readonly<Partial<Record<NamedMeter, number>> & Record<WorkMeter, number>>

interface Base {
  readonly source: Source
  /**
   * The provider's frame this event was read from, byte for byte, when `capabilities.dialect` is not `none`. Each frame
   * is on exactly one event, so forwarding every `wire` in order forwards the stream once. Frames that repeat the
   * instructions or items the gateway added by itself (`ready`, session echoes, notes, history) are on none.
   * With source `local` the frame is ours, in the provider's words: the end of an answer whose engine was lost.
   */
  readonly wire?: Buffer
}

/** `refused`: it never became ready. `hungUp`: the person's side ended a direct call, at the provider. */
export type CloseCause = 'asked' | 'refused' | 'lost' | 'expired' | 'hungUp'

export type EngineEvent =
  | (Base & { readonly type: 'ready'; readonly engineSessionId: string; readonly model: string })
  /** `raw`: the client's own request that it answers, where no `wire` tells. */
  | (Base & {
      readonly type: 'responseStarted'
      readonly responseId: string
      readonly raw?: Readonly<Record<string, unknown>>
    })
  | (Base & {
      readonly type: 'responseDone'
      readonly responseId: string
      readonly status: 'completed' | 'cancelled' | 'failed' | 'incomplete'
      readonly reason?: string
    })
  /** The model has begun to write what another one will speak. For the clock only. */
  | (Base & { readonly type: 'firstToken'; readonly responseId: string })
  /** An agent item begins: its text and audio follow under this id. */
  | (Base & { readonly type: 'agentItem'; readonly responseId: string; readonly itemId: string })
  /**
   * Where `wire` holds the audio as base64, `pcm` is decoded each time it is read: forward `wire` where that will do. Neither:
   * it reached the person by another way (direct media), and where the source is `inferred` its length is an estimate.
   */
  | (Base & {
      readonly type: 'audio'
      readonly responseId: string
      readonly itemId: string
      readonly pcm?: Buffer
      readonly ms: number
    })
  | (Base & { readonly type: 'audioDone'; readonly responseId: string; readonly itemId: string })
  /** `spoken`: transcript of audio; otherwise written text. `final` repeats the whole text. */
  | (Base & {
      readonly type: 'agentText'
      readonly responseId: string
      readonly itemId: string
      readonly spoken: boolean
      readonly delta?: string
      readonly final?: string
    })
  /** What the person said, transcribed; `final` repeats the whole text and may be empty. `heardMs`: length of the speech. */
  | (Base & {
      readonly type: 'userText'
      readonly itemId: string
      readonly delta?: string
      readonly final?: string
      readonly failed?: string
      readonly heardMs?: number
    })
  /**
   * Speech began or ended on the engine's input. `interrupts`: the engine stopped its own answer for it. `silenceMs`, at the end:
   * how long the detector waited after the last sound, where that is known.
   */
  | (Base & {
      readonly type: 'userSpeech'
      readonly phase: 'start' | 'stop'
      readonly itemId: string
      readonly atMs: number
      readonly silenceMs?: number | undefined
      readonly interrupts: boolean
      /** Speech does not stop the agent: what it is saying goes on. */
      readonly keeps?: true
      /** It was known so long before it was told, ms: first it had to be clear whether it is meant. */
      readonly keptMs?: number
    })
  /** The person's audio became a conversation item. */
  | (Base & { readonly type: 'userItem'; readonly itemId: string; readonly spoken: boolean })
  | (Base & {
      readonly type: 'toolCall'
      readonly responseId: string
      readonly itemId: string
      readonly callId: string
      readonly name: string
      readonly arguments: string
    })
  | (Base & { readonly type: 'truncated'; readonly itemId: string; readonly heardMs: number })
  | (Base & { readonly type: 'usage'; readonly meters: Meters })
  | (Base & { readonly type: 'rateLimited'; readonly retryAfterMs: number | null })
  /** Non-fatal unless a `closed` follows. `benign`: a lost race such as cancelling what had ended. */
  | (Base & {
      readonly type: 'error'
      readonly code: string
      readonly message: string
      readonly benign: boolean
      readonly eventId?: string
    })
  /**
   * Anything else of the provider's protocol; forwarded to legs that speak it. `tool`: the frame is about a call of this
   * tool (its item, arguments or result), so that calls the gateway answers itself can be kept from the client.
   */
  | (Base & { readonly type: 'native'; readonly name: string; readonly tool?: string })
  /** Last event of an engine, exactly once. */
  | (Base & { readonly type: 'closed'; readonly cause: CloseCause; readonly code: string; readonly message: string })

/** A call that the person's browser and the provider hold between them; the control of it is ours. */
export interface DirectCall {
  /** The browser's SDP. */
  readonly offer: string
  /** The provider's SDP: once, before `ready`; never where the engine refuses. */
  readonly answered: (answer: string) => void
}

export interface EngineOptions {
  readonly tenantId: string
  readonly sessionId: string
  readonly brief: EngineBrief
  readonly onEvent: (event: EngineEvent) => void
}

/** One live connection to a model. After `closed` every call is a no-op answered `rejected`. */
export interface Engine {
  readonly kind: string
  readonly capabilities: Capabilities
  /** Starts connecting; answers through `ready` or `closed`. Must not throw. */
  start(): void
  send(command: EngineCommand): CommandAnswer
  /** One stretch of the person's audio. Exactly one of the two: raw PCM16 24 kHz, or a whole GA `input_audio_buffer.append` frame. */
  audio(input: { readonly pcm: Buffer } | { readonly appendFrame: Buffer }): void
  /** Bytes accepted but not yet written to the provider: the leg pauses above `backPressureBytes`. */
  readonly bufferedBytes: number
  /** Stops and restarts reading from the provider (the client is slow). */
  pause(): void
  resume(): void
  /**
   * Closes politely, then hard: within 1 s, or 3 s where the provider tells its bill at the end. `closed` with cause `asked`
   * follows unless it was closed already; `usage` may come before it.
   */
  close(): void
}

/** `text`: in writing only. */
export type EngineKind = 'cascade' | 'demo' | 'gemini-live' | 'openai-live' | 'openai-realtime' | 'text'

/** Opens engines of one kind. `off` says why the kind cannot serve here (no key, forced otherwise). */
export interface EngineFactory {
  readonly kind: EngineKind
  readonly off?: string
  readonly defaultModel: string
  /** Where the agent's text models decide: the first of them. */
  readonly modelFor?: (text: TextWish) => string
  readonly hears: Capabilities['hears']
  open(options: EngineOptions): Engine
  /** The same with direct media. Missing: the provider has no such thing. */
  readonly direct?: {
    /** Of the browser's own channel to the provider. */
    readonly dialect: Capabilities['dialect']
    open(options: EngineOptions, call: DirectCall): Engine
  }
}

/** An engine that was asked for and does not serve first: it is off here, or rests after refusals. */
export interface PassedOver {
  readonly kind: string
  readonly reason: string
}

export interface EngineChoice {
  /** At least one. The first serves, the next one goes on when it is lost for good. */
  readonly factories: readonly EngineFactory[]
  readonly passedOver: readonly PassedOver[]
}

/** The engines of this process, as `registry.ts` builds them. */
export interface Engines {
  /**
   * For an agent that asks for `kind`, or for `auto`: those of `kind` and `fallbacks` that can serve, in that order, and those
   * last that were refused again and again of late. Where none of them can, the first engine of this process that can.
   */
  chain(kind?: string, fallbacks?: readonly string[]): EngineChoice
  /** Every kind, with its reason where it is off: what the start-up log tells. */
  readonly all: readonly EngineFactory[]
}

export type EngineTrouble =
  /** The connection is gone (or was refused at the start); another is being opened. */
  | 'lost'
  /** An answer is due and nothing comes. */
  | 'silent'
  | 'rate_limited'

/** An engine that outlives each of its provider's connections, as `steady/` makes it. */
export interface SteadyOptions extends EngineOptions {
  /** At least one. The first is the agent's own, the next stands in; `EngineBrief.model` is the first one's. */
  readonly factories: readonly EngineFactory[]
  /**
   * The whole conversation at this moment, oldest first, earlier sessions too: what seeds a replacement. The last answer as
   * far as it was said, when it broke off. Asked after the `responseDone` of a broken answer.
   */
  readonly history: () => EngineBrief['history']
  /** Told once when a trouble begins: the person may be shown that it takes a moment. */
  readonly onTrouble?: (trouble: EngineTrouble, code: string) => void
  /**
   * The first engine is a direct call. `lost`: told once, when it is gone after it began; whether the person can be heard
   * another way, so that an engine may take over whose sound passes here. A call that never began is not replaced.
   */
  readonly direct?: DirectCall & { readonly lost: () => boolean }
  /** A replacement took over: its kind, and the model it was asked for. What it costs may be unknown. */
  readonly onSwitch?: (engine: { readonly kind: string; readonly model: string }) => void
}

export type OpenSteady = (options: SteadyOptions) => Engine

/** 5 s of PCM16: beyond it the side that sends is paused. */
export const backPressureBytes = 256 * 1024
