// One scene: the agent speaks, something is heard at the caller's, and what came of it.

import type { Timer } from '../../gateway/platform/clock.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'
import { ManualClock } from '../harness/clock.ts'
import { type CallerLeg, type Device, type Sound, tickMs } from './caller.ts'
import { demoOf, type Options, type Place, place, prepare } from './place.ts'
import type { Samples } from './sounds.ts'

export interface Heard {
  readonly atMs: number
  readonly samples: Samples
  /** What a recogniser makes of it. */
  readonly words: string
}

export interface Scene {
  readonly name: string
  readonly agent: string
  readonly device: Device
  /** Of the room, from the beginning to the end. */
  readonly noise?: Samples
  /** Counted from the first sound of the agent at the caller's. */
  readonly sounds: readonly Heard[]
  /** Default: words. */
  readonly hears?: 'words' | 'speech'
  readonly lastsMs: number
  readonly bargeIn?: Options['bargeIn']
  readonly language?: string
}

export interface Outcome {
  readonly scene: Scene
  readonly itemId: string
  readonly turn: Turn | undefined
  readonly turns: readonly Turn[]
  readonly leg: CallerLeg
  readonly place: Place
  /** From the beginning of the last sound to the last of the agent's sentence. */
  readonly residualMs: number
  /** From the moment the gateway told the player to stop (the last time, where it had let it go on). */
  readonly afterwardsMs: number
  /** From the beginning of the last sound, as it reaches the gateway, until then. */
  readonly noticedMs: number
  /** What the caller got of the agent's sentence, and what there was of it. */
  readonly heardMs: number
  readonly wholeMs: number
}

const sttMs = 300
/** Silence between the call's beginning and the agent. */
const leadMs = 1_200

/** A wait shorter than the clock can tell would never end. */
class SceneClock extends ManualClock {
  override after(ms: number, run: () => void): Timer {
    return super.after(Math.max(0.1, ms), run)
  }
}

interface Running {
  readonly scene: Scene
  readonly place: Place
  beganAtMs: number | undefined
}

/** All of them at once, in lock step. */
export async function run(scenes: readonly Scene[]): Promise<readonly Outcome[]> {
  for (const text of new Set(scenes.map(({ agent }) => agent))) await prepare(text)
  const clock = new SceneClock()
  const running = scenes.map((scene) => begin(clock, scene))
  while (clock.monotonicMs() < leadMs) {
    for (const each of running) tick(clock, each)
    await clock.advance(tickMs)
  }
  for (const { place: each } of running) each.session.voice(true)
  const endMs = clock.monotonicMs() + Math.max(...scenes.map(({ lastsMs }) => lastsMs))
  while (clock.monotonicMs() < endMs) {
    for (const each of running) tick(clock, each)
    await clock.advance(tickMs)
  }
  return running.map(outcomeOf)
}

function begin(clock: ManualClock, scene: Scene): Running {
  const recogniser = { hear: (pcm: Buffer) => hear(clock, made, pcm) }
  const factory = demoOf(clock, { recogniser: scene.hears === 'speech' ? null : recogniser })
  const { device, agent, bargeIn = {}, language = 'en' } = scene
  const made: Running = {
    scene,
    place: place({ clock, factory, device, greeting: agent, bargeIn, language }),
    beganAtMs: undefined,
  }
  made.place.session.start()
  return made
}

function tick(clock: ManualClock, running: Running): void {
  const { scene, place: each } = running
  const nowMs = clock.monotonicMs()
  each.leg.play()
  const [first] = each.leg.lastSoundAtMs.values()
  running.beganAtMs ??= first
  const beganMs = running.beganAtMs
  const sounds: Sound[] = scene.noise === undefined ? [] : [{ atMs: 0, samples: scene.noise }]
  if (beganMs !== undefined) {
    for (const { atMs, samples } of scene.sounds) sounds.push({ atMs: Math.round(beganMs) + atMs, samples })
  }
  each.leg.send(each.leg.record(sounds, nowMs))
  for (const itemId of each.leg.received.keys()) {
    if (each.events.some((event) => event.type === 'audioDone' && event.itemId === itemId)) each.leg.finish(itemId)
  }
}

/** A recogniser that hears well: the words of what was said in this stretch; of an echo the agent's; of noise none. */
async function hear(
  clock: ManualClock,
  { scene, beganAtMs, place: each }: Running,
  pcm: Buffer,
): Promise<string | undefined> {
  const toMs = clock.monotonicMs()
  const fromMs = toMs - pcm.length / 48 - 900
  await new Promise<void>((resolve) => clock.after(sttMs, resolve))
  const words = scene.sounds
    .filter(({ atMs, samples }) => {
      const startMs = (beganAtMs ?? 0) + atMs
      return startMs < toMs && startMs + samples.length / 24 > fromMs
    })
    .map((sound) => sound.words)
    .filter((text) => text !== '')
  if (words.length > 0) return words.join(' ')
  if (scene.device.room === undefined) return undefined
  const [itemId = ''] = each.leg.received.keys()
  const all = scene.agent.split(' ')
  const at = Math.floor(
    (all.length * Math.max(0, each.leg.playedMs(itemId) - 1_500)) / Math.max(1, wholeOf(each, itemId)),
  )
  return all.slice(at, at + 5).join(' ')
}

function wholeOf({ events }: Place, itemId: string): number {
  return events.reduce((sum, event) => sum + (event.type === 'audio' && event.itemId === itemId ? event.ms : 0), 0)
}

function outcomeOf({ scene, place: each, beganAtMs }: Running): Outcome {
  const { leg } = each
  const [itemId = ''] = leg.received.keys()
  const last = scene.sounds.at(-1)
  const turns = each.turns()
  return {
    ...{ scene, itemId, turns, leg, place: each },
    turn: turns.find((turn) => turn.itemId === itemId),
    residualMs: (leg.lastSoundAtMs.get(itemId) ?? 0) - Math.round(beganAtMs ?? 0) - (last?.atMs ?? 0),
    afterwardsMs: (leg.lastSoundAtMs.get(itemId) ?? 0) - (leg.toldAtMs ?? 0),
    noticedMs: (leg.toldAtMs ?? 0) - Math.round(beganAtMs ?? 0) - (last?.atMs ?? 0) - scene.device.wayMs,
    heardMs: leg.playedMs(itemId),
    wholeMs: wholeOf(each, itemId),
  }
}
