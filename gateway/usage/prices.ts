// The default price book, as data. An operator adds a newer row to the collection `prices` to change a price.

import { anyTool, anyWork, toolMeter } from './bill.ts'

export interface Price {
  readonly engine: string
  /** `*`: any model of the engine that has no row of its own. */
  readonly model: string
  /** ISO date from which sessions opened get this price. */
  readonly effectiveFrom: string
  readonly secondMicro: number
  readonly holdSecondMicro: number
  /** Micro-credits per million units. */
  readonly meterMicroPerMillion: Readonly<Record<string, number>>
  /** Micro-dollars per million units; null: unknown. */
  readonly costUsdMicroPerMillion: Readonly<Record<string, number>> | null
}

/** What tenants pay is what the provider charges × 1.5, at 0.10 US dollars a credit (the price of the largest pack). */
export const creditUsdMicro = 100_000
export const markupPercent = 150

/** US dollars per million tokens, which is micro-dollars per token. Sources: the providers' public price pages, autumn 2026. */
interface TokenPrices {
  readonly text: readonly [input: number, cached: number, output: number]
  readonly audio: readonly [input: number, cached: number, output: number]
  readonly image: readonly [input: number, cached: number]
}

const million = 1_000_000
const effectiveFrom = '2026-01-01'

/** Speech recognition beside the model: 6 and 10 dollars per million tokens in and out, or 0.017 dollars a minute. */
const transcription = {
  'transcription.input.tokens': 6 * million,
  'transcription.output.tokens': 10 * million,
  'transcription.seconds': 283_333_333,
}

function tokenCosts({ text, audio, image }: TokenPrices): Readonly<Record<string, number>> {
  const dollars = {
    'input.text.tokens': text[0],
    'input.cached.text.tokens': text[1],
    'output.text.tokens': text[2],
    'input.audio.tokens': audio[0],
    'input.cached.audio.tokens': audio[1],
    'output.audio.tokens': audio[2],
    'input.image.tokens': image[0],
    'input.cached.image.tokens': image[1],
  }
  const costs = Object.entries(dollars).map(([meter, price]) => [meter, Math.round(price * million)] as const)
  return Object.fromEntries(costs)
}

/** 1 micro-dollar = 10 micro-credits at 0.10 dollars a credit, × 1.5. */
function withMarkup(costs: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const credits = (usdMicro: number) => Math.round((usdMicro * million * markupPercent) / (creditUsdMicro * 100))
  return Object.fromEntries(Object.entries(costs).map(([meter, usdMicro]) => [meter, credits(usdMicro)]))
}

function realtime(model: string, prices: TokenPrices, holdSecondMicro: number): Price {
  const costs = { ...tokenCosts(prices), ...transcription }
  return {
    engine: 'openai-realtime',
    model,
    effectiveFrom,
    secondMicro: 5_000,
    holdSecondMicro,
    meterMicroPerMillion: withMarkup(costs),
    costUsdMicroPerMillion: costs,
  }
}

/** Tokens of whoever works behind the voice: under the name of its model, as the engine meters them. */
function workCosts(model: string, prices: TokenPrices): Readonly<Record<string, number>> {
  const name = model === '*' ? anyWork : `work.${model.replaceAll('.', '_')}.`
  return Object.fromEntries(Object.entries(tokenCosts(prices)).map(([meter, cost]) => [`${name}${meter}`, cost]))
}

const flagship: TokenPrices = { text: [4, 0.4, 24], audio: [32, 0.4, 64], image: [5, 0.5] }
const older: TokenPrices = { text: [4, 0.4, 16], audio: [32, 0.4, 64], image: [5, 0.5] }
const mini: TokenPrices = { text: [0.6, 0.06, 2.4], audio: [10, 0.3, 20], image: [0.8, 0.8] }

/**
 * A busy second of the flagship: 10 audio tokens in, 20 out (1,600 micro-dollars) and a share of a 64,000-token cached
 * context every 6 s (4,300), × 15 micro-credits, plus the fee: 95,000 rounded up.
 */
const flagshipSecondMicro = 100_000
/** The same with the small model's prices: 500 + 3,200 micro-dollars × 15, plus the fee. */
const miniSecondMicro = 65_000

/** Nothing is cheaper for being cached, and transcripts are part of the price. */
function geminiLive(model: string, prices: TokenPrices): Price {
  const costs = tokenCosts(prices)
  return {
    engine: 'gemini-live',
    model,
    effectiveFrom,
    secondMicro: 5_000,
    holdSecondMicro: geminiSecondMicro,
    meterMicroPerMillion: withMarkup(costs),
    costUsdMicroPerMillion: costs,
  }
}

/** Source: ai.google.dev/gemini-api/docs/pricing as others quote it, September 2026; the 2.5 model as of July 2026. */
const gemini3: TokenPrices = { text: [0.75, 0.75, 4.5], audio: [3, 3, 12], image: [1, 1] }
const gemini25: TokenPrices = { text: [0.5, 0.5, 2], audio: [3, 3, 12], image: [3, 3] }

/**
 * A busy second of Gemini: 32 audio tokens in and 32 out (480 micro-dollars), and a context of 24,000 audio tokens, which every
 * turn pays anew, every 8 s (9,000), × 15 micro-credits, plus the fee: 147,000 rounded up.
 */
const geminiSecondMicro = 150_000
/**
 * A cascade's servers are the operator's own choice, so what they cost is unknown until a row of their own says so. Charged is
 * what a usual one costs: text tokens at 1, 0.10 (cached) and 5 dollars per million (Claude Haiku 4.5), recognition as beside a
 * realtime model, voice at 15 dollars per million characters (tts-1). Sources: the providers' public price pages, autumn 2026.
 */
const cascadeCosts = {
  'input.text.tokens': 1 * million,
  'input.cached.text.tokens': million / 10,
  'output.text.tokens': 5 * million,
  'speech.characters': 15 * million,
  ...transcription,
}

/** A busy second: 2,000 tokens in, 40 out, 15 characters and a second of recognition (2,700 micro-dollars) × 15, plus the fee. */
const cascadeSecondMicro = 50_000
/** 0.05 dollars a minute, silence included (OpenAI's model page of gpt-live-1, September 2026; the same for 1.1). */
const liveSecondUsdMicro = 833_333_333 / million

/**
 * A busy second of GPT-Live: 12,500 micro-credits for the voice, and behind it every 10 s a request of 4,000 tokens that is
 * answered with 200 (2,080 micro-dollars a second × 15), plus the fee: 48,700 rounded up.
 */
const liveSecondMicro = 60_000

function live(model: string): Price {
  const known = {
    'gpt-realtime-2.1': flagship,
    'gpt-realtime-2': flagship,
    'gpt-realtime-1.5': older,
    'gpt-realtime': older,
  }
  const small = { 'gpt-realtime-2.1-mini': mini, 'gpt-realtime-mini': mini }
  const work = Object.entries({ ...known, ...small }).map(([name, prices]) => workCosts(name, prices))
  const costs = Object.assign({ 'live.seconds': Math.round(liveSecondUsdMicro * million) }, ...work)
  return {
    engine: 'openai-live',
    model,
    effectiveFrom,
    secondMicro: 5_000,
    holdSecondMicro: liveSecondMicro,
    // Work by a model that is not in the book is charged like the flagship's; what it costs us stays unknown.
    meterMicroPerMillion: withMarkup({ ...costs, ...workCosts('*', flagship) }),
    costUsdMicroPerMillion: { ...costs, ...freeWork },
  }
}

/** Done by the keyless demo. */
const freeWork = Object.fromEntries(Object.keys(workCosts('demo', flagship)).map((meter) => [meter, 0]))

/**
 * What answers in writing cost us, by `provider/model`; tenants pay them by the piece. Input, cached and output in dollars per
 * million tokens, from the providers' and OpenRouter's public price pages, autumn 2026. Of other models the cost is unknown.
 */
const textUsd: Readonly<Record<string, readonly [input: number, cached: number, output: number]>> = {
  'anthropic/claude-haiku-4-5': [1, 0.1, 5],
  'openai/gpt-4o': [2.5, 1.25, 10],
  'openai/gpt-4o-mini': [0.15, 0.075, 0.6],
  'openrouter/anthropic/claude-sonnet-4': [3, 0.3, 15],
  'openrouter/openai/gpt-4o': [2.5, 1.25, 10],
  'openrouter/openai/gpt-4o-mini': [0.15, 0.075, 0.6],
  'openrouter/google/gemini-pro-1.5': [1.25, 0.3125, 5],
}

function textRow(model: string, dollars: readonly [number, number, number] | null): Price {
  const meters = ['input.text.tokens', 'input.cached.text.tokens', 'output.text.tokens']
  const costs =
    dollars === null ? null : Object.fromEntries(dollars.map((each, i) => [meters[i], Math.round(each * million)]))
  return {
    ...{ engine: 'text', model, effectiveFrom, secondMicro: 0, holdSecondMicro: 0 },
    meterMicroPerMillion: {},
    costUsdMicroPerMillion: costs,
  }
}

const zeroMeters = Object.fromEntries(
  [...Object.keys({ ...tokenCosts(flagship), ...transcription }), 'speech.characters'].map((meter) => [meter, 0]),
)

/** Row of what is charged by the piece: messages answered outside of live sessions, and tool calls anywhere. */
export const actionsRow = { engine: 'actions', model: '*' } as const

export const messageMeters = { simple: 'agent.simple.messages', complex: 'agent.complex.messages' } as const
export const builderMeter = 'builder.generation.calls'

/** Credits per piece. A tool that is not named costs what `*` costs. */
const toolCredits: Readonly<Record<string, number>> = {
  create_contact: 1,
  send_email: 1,
  send_ai_email: 2,
  trigger_workflow: 1,
  create_checkout: 1,
  query_org_data: 0,
  search_contacts: 0,
  // Reading what the tenant stored here costs nothing, as the two above.
  search_knowledge: 0,
  search_products: 0,
  product_stats: 0,
  event_program: 0,
  event_speakers: 0,
  event_info: 0,
}

const pieceCredits: Readonly<Record<string, number>> = {
  [messageMeters.simple]: 1,
  [messageMeters.complex]: 3,
  // The builder runs on the tenant's own key.
  [builderMeter]: 0,
  [anyTool]: 1,
  ...Object.fromEntries(Object.entries(toolCredits).map(([name, credits]) => [toolMeter(name), credits])),
}

/** One credit a piece, in micro-credits per million pieces. */
const creditEach = million * million

export const defaultModels: Readonly<Record<string, string>> = {
  'gemini-live': 'gemini-3.8-live',
  'openai-live': 'gpt-live-1',
  'openai-realtime': 'gpt-realtime-2.1',
}

export const defaultPrices: readonly Price[] = [
  {
    ...actionsRow,
    effectiveFrom,
    secondMicro: 0,
    holdSecondMicro: 0,
    meterMicroPerMillion: Object.fromEntries(
      Object.entries(pieceCredits).map(([meter, credits]) => [meter, credits * creditEach]),
    ),
    // What a message costs depends on the model that answers it: told with each charge.
    costUsdMicroPerMillion: { [builderMeter]: 0 },
  },
  {
    engine: 'demo',
    model: '*',
    effectiveFrom,
    secondMicro: 100_000,
    holdSecondMicro: 100_000,
    meterMicroPerMillion: {},
    costUsdMicroPerMillion: zeroMeters,
  },
  realtime('gpt-realtime-2.1', flagship, flagshipSecondMicro),
  realtime('gpt-realtime-2', flagship, flagshipSecondMicro),
  realtime('gpt-realtime-1.5', older, flagshipSecondMicro),
  realtime('gpt-realtime', older, flagshipSecondMicro),
  realtime('gpt-realtime-2.1-mini', mini, miniSecondMicro),
  realtime('gpt-realtime-mini', mini, miniSecondMicro),
  // Unknown models are charged like the flagship; what they cost us stays unknown.
  { ...realtime('*', flagship, flagshipSecondMicro), costUsdMicroPerMillion: null },
  geminiLive('gemini-3.8-live', gemini3),
  geminiLive('gemini-3.1-flash-live-preview', gemini3),
  geminiLive('gemini-2.5-flash-native-audio-preview-12-2025', gemini25),
  { ...geminiLive('*', gemini3), costUsdMicroPerMillion: null },
  {
    engine: 'cascade',
    model: '*',
    effectiveFrom,
    secondMicro: 5_000,
    holdSecondMicro: cascadeSecondMicro,
    meterMicroPerMillion: withMarkup(cascadeCosts),
    costUsdMicroPerMillion: null,
  },
  {
    engine: 'text',
    model: '*',
    effectiveFrom,
    secondMicro: 5_000,
    holdSecondMicro: cascadeSecondMicro,
    meterMicroPerMillion: withMarkup(cascadeCosts),
    costUsdMicroPerMillion: null,
  },
  ...Object.entries(textUsd).map(([model, dollars]) => textRow(model, dollars)),
  textRow('*', null),
  live('gpt-live-1'),
  live('gpt-live-1.1'),
  { ...live('*'), costUsdMicroPerMillion: null },
  {
    engine: '*',
    model: '*',
    effectiveFrom,
    secondMicro: 100_000,
    holdSecondMicro: 100_000,
    meterMicroPerMillion: {},
    costUsdMicroPerMillion: null,
  },
]
