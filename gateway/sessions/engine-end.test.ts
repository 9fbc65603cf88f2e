import { expect, it } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { EngineEnd } from './engine-end.ts'

function end() {
  const clock = new ManualClock()
  const counted: object[] = []
  const engineEnd = new EngineEnd(clock, { meters: (meters) => void counted.push(meters) })
  let isTold = false
  const wait = (ms: number) => engineEnd.told(ms).then(() => (isTold = true))
  return { clock, counted, engineEnd, wait, told: () => isTold }
}
const turns = () => new Promise((resolve) => setTimeout(resolve, 1))

it('waits for the engine’s last word, which is its bill', async () => {
  const { engineEnd, counted, wait, told } = end()
  void wait(3_500)
  engineEnd.event({ type: 'usage', source: 'provider', meters: { 'live.seconds': 61.5 } })
  await turns()
  expect(told()).toBe(false)
  engineEnd.event({ type: 'closed', source: 'local', cause: 'asked', code: 'asked', message: '' })
  await turns()
  expect([told(), counted]).toEqual([true, [{ 'live.seconds': 61.5 }]])
})

it('does not wait for an engine that is gone already, and no longer than it was told', async () => {
  const first = end()
  first.engineEnd.event({ type: 'closed', source: 'provider', cause: 'lost', code: 'x', message: '' })
  void first.wait(3_500)
  await turns()
  expect(first.told()).toBe(true)
  const second = end()
  void second.wait(500)
  await second.clock.advance(499)
  expect(second.told()).toBe(false)
  await second.clock.advance(1)
  expect(second.told()).toBe(true)
})
