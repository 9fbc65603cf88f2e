// Text models as the rest of the gateway sees them: who may be asked for an answer, in which order, and the asking itself.

import type { Piece, Prompt } from './model.ts'
import type { Tally, Tokens } from './tally.ts'

export interface Question {
  readonly text: string
  /** How many tools the model may use. */
  readonly tools: number
  /** BCP 47, of the agent. */
  readonly language: string
  /** Characters of the conversation before the question. */
  readonly historyChars: number
}

/** What an agent wants of its answers. */
export interface TextWish {
  /** Empty: this gateway's, in its order. `auto`: the same, by what the question needs. `demo`: the built-in brain. */
  readonly provider: string
  /** Empty: the provider's default. */
  readonly model: string
  /** Asked in this order where the first fails: `provider:model`, or a model of the same provider. */
  readonly fallbacks: readonly string[]
  readonly temperature: number | null
  readonly maxTokens: number | null
  /** Where no model is named: for work that nobody sees, or that must be right. */
  readonly purpose?: 'cheap' | 'best'
  /** Of `auto`: what the purpose is read from, where none is given. */
  readonly question?: Question
}

/** A model that was wanted and is not asked. */
export interface PassedModel {
  readonly name: string
  readonly reason: string
}

export interface TextChoice {
  /** In the order they are asked; never empty. */
  readonly models: readonly TextModel[]
  readonly passedOver: readonly PassedModel[]
  /** Why this order, in a sentence for the trace. */
  readonly why: string
}

export interface TextModelListing {
  readonly provider: string
  readonly model: string
  readonly label: string
  /** Why it cannot be asked here. Missing: it can. */
  readonly off?: string
}

export interface TextPrompt extends Prompt {
  readonly tenantId: string
}

export interface TextModel {
  readonly provider: string
  readonly model: string
  /** `provider:model`. */
  readonly name: string
  /** The built-in brain: no provider is behind it, and its words cost nothing. */
  readonly demo: boolean
  /** Throws PartFailure, or the signal's reason. Calls come last, each once, when the answer is whole; then the end. */
  answer(prompt: TextPrompt, on: { readonly signal: AbortSignal; readonly tally: Tally }): AsyncIterable<Piece>
}

/** What one request to one model took. */
export interface TextUse {
  readonly provider: string
  readonly model: string
  /** Undefined: nothing was told. Cached tokens are a part of `input`. */
  readonly tokens: Tokens | undefined
  /** The provider charges for more than it told: the figures are a lower bound, and the cost is unknown. */
  readonly isUnreported: boolean
  /** Why it gave no whole answer. Missing: it did. */
  readonly failed?: string
}

export interface ClassifyOption {
  readonly name: string
  /** What it is there for, in a few sentences. */
  readonly about: string
}

export interface Classified {
  /** What is asked for, in a few words. */
  readonly intent: string
  /** Null: none of them. */
  readonly option: string | null
  /** 0 to 1. */
  readonly certainty: number
  readonly by: 'model' | 'words'
}

export interface ClassifyQuestion {
  readonly tenantId: string
  readonly text: string
  readonly options: readonly ClassifyOption[]
}

export interface TextModels {
  choose(wish: TextWish): TextChoice
  /** The models of `choose`. With no key set the built-in brain answers. */
  chain(wish: TextWish): readonly TextModel[]
  /**
   * One answer from the first that gives it. One that breaks off in the middle is followed by the next, which is asked for what
   * follows; those that failed lately are asked last. `used` is called once for each that was asked, whatever became of it.
   * Throws PartFailure when nobody answers, and the signal's reason.
   */
  ask(models: readonly TextModel[], prompt: TextPrompt, on: AskOptions): AsyncIterable<Piece>
  /** Whose matter a message is. By the words of the options where no model is there, or where it does not answer as asked. */
  classify(models: readonly TextModel[], on: AskOptions & { readonly question: ClassifyQuestion }): Promise<Classified>
  /** What a model failed of, in our words; undefined: something else was thrown. */
  failure(thrown: unknown): { readonly code: string; readonly retryAfterMs: number | null } | undefined
  /** What people may choose. */
  list(): readonly TextModelListing[]
  /** Why an agent cannot have this model here, in a sentence for whoever saves it. Undefined: it can. */
  problem(wish: Pick<TextWish, 'provider' | 'model'>): string | undefined
}

export interface AskOptions {
  readonly signal: AbortSignal
  /** Before each request. */
  readonly asking?: (model: TextModel) => void
  /** After each request. */
  readonly used?: (use: TextUse) => void
}
