import { expect, test } from 'vitest'
import { bytesPerMs } from '../../protocol/realtime.ts'
import { Loudspeaker } from './loudspeaker.ts'

const sound = (ms: number) => Buffer.alloc(ms * bytesPerMs)

test('sound plays from when it was sent, also when nobody asked meanwhile: the microphone was off', () => {
  const speaker = new Loudspeaker()
  speaker.sent('a', sound(2_000), 10_000)
  speaker.done('a')
  expect(speaker.isBusy(15_000)).toBe(false)
  expect(speaker.quietSinceMs).toBe(12_100)
})

test('what was sent behind it plays when it is over, and what came later from then on', () => {
  const speaker = new Loudspeaker()
  speaker.sent('a', sound(2_000), 0)
  speaker.sent('b', sound(2_000), 100)
  speaker.done()
  speaker.sent('c', sound(1_000), 9_000)
  speaker.done()
  expect(speaker.isBusy(10_050)).toBe(true)
  expect(speaker.isBusy(10_150)).toBe(false)
  expect(speaker.quietSinceMs).toBe(10_100)
})
