// What a `session.update` asks of the listening: who detects turns and how, transcription, noise reduction. Pure.

import type { EngineSettings, TranscriptionSettings, TurnSettings } from '../../engines/engines.ts'
import type { SessionFields } from './session-fields.ts'
import { type Detection, isSame, type Part, type Policy, type Present } from './session-part.ts'

export interface Listening {
  readonly parts: readonly Part[]
  readonly leg: { readonly transcripts?: boolean }
  /** The turn settings that come of the parts a client may have; undefined: as they are. */
  turnsOf(allowed: readonly Part[]): TurnSettings | undefined
}

type Input = NonNullable<NonNullable<SessionFields['audio']>['input']>
type GivenDetection = Input['turn_detection']

/** As the original has them, where nothing else is said. */
export const turnDefaults = {
  createsResponse: true,
  interruptsResponse: true,
  threshold: 0.5,
  prefixPaddingMs: 300,
  silenceMs: 500,
  idleTimeoutMs: null,
  eagerness: 'auto',
} as const satisfies TurnSettings

const wireNames: Readonly<Record<keyof TurnSettings, string>> = {
  createsResponse: 'create_response',
  interruptsResponse: 'interrupt_response',
  threshold: 'threshold',
  prefixPaddingMs: 'prefix_padding_ms',
  silenceMs: 'silence_duration_ms',
  idleTimeoutMs: 'idle_timeout_ms',
  eagerness: 'eagerness',
}
/** Whether the agent answers and stops is what a client without the right must not change; how it listens is a wish. */
const decisive: readonly (keyof TurnSettings)[] = ['createsResponse', 'interruptsResponse', 'idleTimeoutMs']

const where = 'session.audio.input'

export function listeningParts(update: SessionFields, present: Present, { capabilities }: Policy): Listening {
  const input = update.audio?.input
  if (input === undefined) return { parts: [], leg: {}, turnsOf: () => undefined }
  const given = input.turn_detection
  const turns = given === undefined ? undefined : turnsIn(given)
  const turnParts = turns === undefined ? [] : partsOf(turns, present.settings.turns ?? {}, capabilities)
  const names = new Map(turnParts.map(({ name, part }) => [part, name]))
  return {
    parts: [
      ...detectionParts(given, present, capabilities),
      ...turnParts.map(({ part }) => part),
      ...transcriptionParts(input.transcription, present, capabilities),
      ...noiseParts(input.noise_reduction, present, capabilities),
    ],
    leg: input.transcription === undefined ? {} : { transcripts: input.transcription !== null },
    turnsOf(allowed) {
      const changed = allowed.flatMap((part) => names.get(part) ?? [])
      if (turns === undefined || changed.length === 0) return undefined
      const now: TurnSettings = present.settings.turns ?? {}
      const entries = Object.keys(wireNames)
        .filter(isTurnSetting)
        .map((name) => {
          return [name, changed.includes(name) ? turns[name] : now[name]] as const
        })
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
    },
  }
}

function isTurnSetting(name: string): name is keyof TurnSettings {
  return name in wireNames
}

function detectionParts(given: GivenDetection, present: Present, { mutable }: Policy['capabilities']): Part[] {
  if (given === undefined) return []
  const turnDetection: Detection = given === null ? 'none' : given.type
  if (turnDetection === present.detection) return []
  // Which of two detectors hears the end of speech is no matter of rights; whether one does is.
  const harmless = turnDetection !== 'none' && present.detection !== 'none'
  const can = mutable.includes('turnDetection')
  return [{ param: `${where}.turn_detection`, right: 'turnDetection', can, harmless, fields: { turnDetection } }]
}

/** Only what is given: each update replaces turn detection as a whole. */
function turnsIn(given: NonNullable<GivenDetection> | null): TurnSettings {
  if (given === null) return {}
  const named: TurnSettings =
    given.type === 'semantic_vad'
      ? { ...some('eagerness', given.eagerness) }
      : {
          ...some('threshold', given.threshold),
          ...some('prefixPaddingMs', given.prefix_padding_ms),
          ...some('silenceMs', given.silence_duration_ms),
          ...some('idleTimeoutMs', given.idle_timeout_ms),
        }
  const automatic = {
    ...some('createsResponse', given.create_response),
    ...some('interruptsResponse', given.interrupt_response),
  }
  return { ...automatic, ...named }
}

function some<K extends string, V>(name: K, value: V | null | undefined): Partial<Record<K, V>> {
  return value === null || value === undefined ? {} : ({ [name]: value } as Record<K, V>)
}

function partsOf(
  wanted: TurnSettings,
  now: TurnSettings,
  capabilities: Policy['capabilities'],
): { readonly name: keyof TurnSettings; readonly part: Part }[] {
  return Object.keys(wireNames)
    .filter(isTurnSetting)
    .flatMap((name) => {
      if (isSame(wanted[name], now[name])) return []
      // Back to what it would be anyway asks nothing of an engine.
      const isDefault = isSame(wanted[name] ?? turnDefaults[name], turnDefaults[name])
      const can = capabilities.settings?.includes(name) === true || isDefault
      const harmless =
        !decisive.includes(name) || isSame(wanted[name] ?? turnDefaults[name], now[name] ?? turnDefaults[name])
      const param = `${where}.turn_detection.${wireNames[name]}`
      return [{ name, part: { param, right: 'turnDetection', can, harmless } }]
    })
}

function transcriptionParts(
  given: Input['transcription'],
  present: Present,
  { settings, dialect }: Policy['capabilities'],
): Part[] {
  if (given === undefined || given === null) return []
  const { model, ...own } = given
  const isNative = dialect === 'openai-realtime-ga'
  const wanted: TranscriptionSettings = {
    // Elsewhere the operator has chosen who transcribes; every stock client names some model of the provider's.
    ...(isNative ? some('model', model) : {}),
    ...some('language', own.language),
    ...some('languages', own.languages),
    ...some('prompt', own.prompt),
    ...some('keywords', own.keywords),
    ...some('delay', own.delay),
  }
  const now = present.settings.transcription ?? {}
  const names = Object.keys(wanted).filter((name) => !isSame(at(wanted, name), at(now, name)))
  if (names.length === 0) return []
  const isPlain = names.every((name) => name === 'language' || name === 'prompt')
  const can = settings?.includes('transcription') === true && (isNative || isPlain)
  const fields = { settings: { transcription: { ...now, ...wanted } } }
  return [{ param: `${where}.transcription`, right: 'turnDetection', can, harmless: true, fields }]
}

function at(value: object, name: string): unknown {
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

function noiseParts(given: Input['noise_reduction'], present: Present, { settings }: Policy['capabilities']): Part[] {
  if (given === undefined) return []
  const noiseReduction: EngineSettings['noiseReduction'] = given === null ? null : given.type
  if (noiseReduction === (present.settings.noiseReduction ?? null)) return []
  const can = settings?.includes('noiseReduction') === true
  const fields = { settings: { noiseReduction } }
  return [{ param: `${where}.noise_reduction`, right: 'turnDetection', can, harmless: true, fields }]
}
