// What of an engine may be set beyond the fields of its brief.

export interface TurnSettings {
  /** False: speech that ends is not answered before somebody asks for it. */
  readonly createsResponse?: boolean
  /** False: speech does not stop the answer in progress. */
  readonly interruptsResponse?: boolean
  /** 0 to 1: the higher, the louder speech has to be. */
  readonly threshold?: number
  readonly prefixPaddingMs?: number
  readonly silenceMs?: number
  /** So long after an answer the engine speaks up by itself; null: never. */
  readonly idleTimeoutMs?: number | null
  /** How soon a turn is taken to be over; only where meaning decides it. */
  readonly eagerness?: 'low' | 'medium' | 'high' | 'auto'
}

export interface TranscriptionSettings {
  readonly model?: string
  /** ISO 639-1. */
  readonly language?: string
  readonly languages?: readonly string[]
  readonly prompt?: string
  readonly keywords?: readonly string[]
  readonly delay?: string
}

/** What may be set beyond the fields of the brief. What is missing is as the engine has it. */
export interface EngineSettings {
  readonly turns?: TurnSettings
  readonly transcription?: TranscriptionSettings
  readonly noiseReduction?: 'near_field' | 'far_field' | null
  /** Of the voice, 1 being its own. */
  readonly speed?: number
  readonly toolChoice?: 'auto' | 'none'
  /** Of one answer; `inf`: as many as the model can. */
  readonly maxOutputTokens?: number | 'inf'
}
export type Setting = keyof TurnSettings | Exclude<keyof EngineSettings, 'turns'>

export type AnswerField = 'aside' | 'input' | 'instructions' | 'maxOutputTokens' | 'toolChoice' | 'tools' | 'voice'
