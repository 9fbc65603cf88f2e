import { expect, test } from 'vitest'
import { type Block, Capture } from './capture.ts'

function recording(deviceHz: number): { capture: Capture; blocks: Block[] } {
  const blocks: Block[] = []
  return { capture: new Capture(deviceHz, (block) => blocks.push(block)), blocks }
}

const second = (rate: number, level = 0.5): Float32Array =>
  Float32Array.from({ length: rate }, (_, i) => level * Math.sin((2 * Math.PI * 300 * i) / rate))

test.each([16_000, 44_100, 48_000])('a microphone at %i Hz gives 50 blocks of 20 ms a second', (rate) => {
  const { capture, blocks } = recording(rate)
  for (let i = 0; i < 3; i++) capture.take(second(rate))
  expect(Math.abs(blocks.length - 150)).toBeLessThanOrEqual(1)
  for (const { pcm } of blocks) expect(pcm.byteLength).toBe(960)
})

test('the level of a block is its root mean square', () => {
  const { capture, blocks } = recording(24_000)
  capture.take(second(24_000))
  expect(blocks[10]?.level).toBeCloseTo(0.5 * Math.SQRT1_2, 2)
})

test('after muting the engine hears one second of silence, so that it can end the turn, then nothing', () => {
  const { capture, blocks } = recording(24_000)
  capture.take(second(24_000))
  const before = blocks.length
  capture.mute(true)
  for (let i = 0; i < 3; i++) capture.take(second(24_000))
  const after = blocks.slice(before)
  expect(after).toHaveLength(50)
  expect(Math.max(...after.slice(1).flatMap(({ pcm }) => [...new Int16Array(pcm)].map(Math.abs)))).toBe(0)
  capture.mute(false)
  capture.take(second(24_000))
  expect(blocks.at(-1)?.level).toBeGreaterThan(0.3)
})

test('a signal beyond full scale is clipped and does not wrap', () => {
  const { capture, blocks } = recording(24_000)
  capture.take(second(24_000, 3))
  const samples = blocks.slice(2).flatMap(({ pcm }) => [...new Int16Array(pcm)])
  expect(Math.max(...samples)).toBe(32_767)
  expect(Math.min(...samples)).toBe(-32_768)
})
