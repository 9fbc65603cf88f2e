// What a caller receives, against what is stored, over a fixed set of scenes: real interruptions, nods, noise and echo.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Outcome, run, type Scene } from './scene.ts'
import { echoScenes, nodScenes, noiseScenes, realScenes, shortScenes } from './scenes.ts'
import { spokenAtMs } from './truth.ts'

const figures: string[] = []
afterAll(() => void process.stdout.write(`\n${figures.join('\n')}\n`))

/** In groups, so that a group's sessions and sounds fit a small machine. */
async function all(scenes: readonly Scene[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (let at = 0; at < scenes.length; at += 32) outcomes.push(...(await run(scenes.slice(at, at + 32))))
  return outcomes
}

const wasCut = ({ turn, heardMs, wholeMs }: Outcome): boolean => turn?.state === 'interrupted' || heardMs < wholeMs - 1

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
}

const names = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ scene }) => scene.name)

/** How far the stored words and the stored position are from what came out of the loudspeaker, ms. */
function errorMs(outcome: Outcome): number {
  const { turn, heardMs } = outcome
  if (turn === undefined) return Number.POSITIVE_INFINITY
  const { fromMs, toMs } = spokenAtMs(outcome.place.events, outcome.itemId, turn.text)
  const words = Math.max(0, fromMs - heardMs, heardMs - toMs)
  return Math.max(words, Math.abs((turn.audio?.playedMs ?? 0) - heardMs))
}

describe('real interruptions', () => {
  let outcomes: readonly Outcome[]
  beforeAll(async () => {
    outcomes = await all(await realScenes())
  }, 120_000)

  test('[S40] are honoured, every one', () => {
    expect(names(outcomes.filter((each) => !wasCut(each)))).toEqual([])
  })

  test('[S9] stored words and the audio received are within 300 ms in 95 of 100', () => {
    const errors = outcomes.map(errorMs)
    const good = errors.filter((ms) => ms <= 300).length / errors.length
    figures.push(
      `heard text against audio received: ${(100 * good).toFixed(1)} % of ${errors.length} within 300 ms; p50 ${percentile(errors, 0.5).toFixed(0)} ms, p95 ${percentile(errors, 0.95).toFixed(0)} ms`,
    )
    expect(good).toBeGreaterThanOrEqual(0.95)
  })

  test('[S41] a player that can be held is told within 300 ms of the first sound, and silent within 200 ms of being told', () => {
    const of = (kind: string) => outcomes.filter(({ scene }) => scene.device.kind === kind)
    const line = (what: string, ms: readonly number[]): string =>
      `${what} (${ms.length}): p50 ${percentile(ms, 0.5).toFixed(0)} ms, p95 ${percentile(ms, 0.95).toFixed(0)} ms, most ${Math.max(...ms).toFixed(0)} ms`
    const told = of('panel').map(({ noticedMs }) => noticedMs)
    const after = outcomes.map(({ afterwardsMs }) => afterwardsMs)
    figures.push(
      line('panel: from the first sound of the voice at the gateway to the word to stop', told),
      line('all: residual playback after the word to stop, network included', after),
      line(
        'panel: from the first sound at the microphone to silence',
        of('panel').map(({ residualMs }) => residualMs),
      ),
      line(
        'stock client, which cannot be held: the same',
        of('stock').map(({ residualMs }) => residualMs),
      ),
    )
    expect(percentile(told, 0.5)).toBeLessThanOrEqual(300)
    expect(percentile(after, 0.95)).toBeLessThanOrEqual(200)
  })

  test('[S9] nothing is truncated at nought, and no position is beyond what was sent', () => {
    const audio = outcomes.flatMap(({ turn }) => turn?.audio ?? [])
    expect(audio.every(({ playedMs, sentMs }) => playedMs > 0 && playedMs <= sentMs)).toBe(true)
  })
})

test('[S40] one word that is meant stops the agent as soon as it is understood', { timeout: 60_000 }, async () => {
  const outcomes = await all(await shortScenes())
  expect(names(outcomes.filter((each) => !wasCut(each)))).toEqual([])
  const ms = outcomes.map(({ residualMs }) => residualMs)
  figures.push(`one meant word (${ms.length}): the agent stops after p50 ${percentile(ms, 0.5).toFixed(0)} ms`)
})

test('[S42] nods do not cut the agent, and are written down', { timeout: 120_000 }, async () => {
  const outcomes = await all(await nodScenes())
  const cut = outcomes.filter(wasCut)
  const pauses = outcomes.map(({ leg }) => leg.heldMs)
  figures.push(
    `nods that cut: ${cut.length} of ${outcomes.length}; pause of the agent p50 ${percentile(pauses, 0.5)} ms, p95 ${percentile(pauses, 0.95)} ms`,
  )
  if (cut.length > 0) figures.push(...names(cut).map((name) => `  ${name}`))
  expect(cut.length / outcomes.length).toBeLessThan(0.03)
  const worded = outcomes.filter((each) => each.scene.hears !== 'speech' && !wasCut(each))
  const written = worded.filter(({ turns }) => turns.some(({ role, text }) => role === 'user' && text !== ''))
  expect(written.length / worded.length).toBeGreaterThan(0.9)
})

test('[S43] noise does not cut the agent, and becomes no turn', { timeout: 120_000 }, async () => {
  const outcomes = await all(await noiseScenes())
  const cut = outcomes.filter(wasCut)
  figures.push(`cuts by noise: ${cut.length} of ${outcomes.length}`, ...names(cut).map((name) => `  ${name}`))
  expect(cut.length / outcomes.length).toBeLessThan(0.03)
  expect(outcomes.flatMap(({ turns }) => turns).filter(({ role, text }) => role === 'user' && text !== '')).toEqual([])
})

test('[S44] the agent does not interrupt or answer itself', { timeout: 180_000 }, async () => {
  const outcomes = await all(await echoScenes())
  const cut = outcomes.filter((each) => wasCut(each) || each.turns.some(({ role }) => role === 'user'))
  figures.push(
    `self-interruptions by echo: ${cut.length} of ${outcomes.length}`,
    ...names(cut).map((name) => `  ${name}`),
  )
  expect(cut.length / outcomes.length).toBeLessThan(0.01)
})

test('[S45] a guarded greeting is said to its end, and what was said meanwhile is answered after it', {
  timeout: 60_000,
}, async () => {
  const scenes = (await realScenes())
    .slice(0, 3)
    .map((scene) => ({ ...scene, bargeIn: { greeting: false }, lastsMs: 16_000 }))
  for (const { turns, turn, heardMs, wholeMs, place } of await all(scenes)) {
    expect(turn?.state).toBe('final')
    expect(Math.abs(heardMs - wholeMs)).toBeLessThan(1)
    const asked = turns.findIndex(({ role }) => role === 'user')
    expect(asked).toBeGreaterThan(0)
    expect(turns.slice(asked + 1).some(({ role }) => role === 'agent')).toBe(true)
    expect(place.leg.flushedAtMs).toBeUndefined()
  }
})

test('without the filter the same set is failed: echo, nods and noise cut', { timeout: 120_000 }, async () => {
  const off = { decidedBy: 'engine', echoFilter: false } as const
  const some = (scenes: readonly Scene[], every: number): Scene[] =>
    scenes.filter((_, i) => i % every === 0).map((scene) => ({ ...scene, bargeIn: off }))
  const echo = await all(some(await echoScenes(), 6))
  const nods = await all(some(await nodScenes(), 4))
  const cuts = (outcomes: readonly Outcome[]): string => `${outcomes.filter(wasCut).length} of ${outcomes.length}`
  figures.push(`control, everything off: cut by echo ${cuts(echo)}, by nods ${cuts(nods)}`)
  expect(echo.filter(wasCut).length / echo.length).toBeGreaterThan(0.3)
  expect(nods.filter(wasCut).length / nods.length).toBeGreaterThan(0.9)
})
