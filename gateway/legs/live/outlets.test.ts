import { expect, test } from 'vitest'
import type { Problem } from '../../platform/problem.ts'
import type { Channel } from '../realtime/channel.ts'
import { maxObservers, Outlets } from './outlets.ts'

class FakeChannel implements Channel {
  readonly parley = false
  readonly isOpen = true
  bufferedBytes = 0
  readonly frames: string[] = []
  closedWith: string | undefined
  receive(): void {}
  send(frame: string | Uint8Array): void {
    this.frames.push(String(frame))
  }
  ping(): void {}
  pause(): void {}
  resume(): void {}
  close(problem?: Problem): void {
    this.closedWith = problem?.code ?? 'closed'
  }
  terminate(): void {}
}

test('one that does not read is dropped, and neither the client nor the others notice', () => {
  const client: string[] = []
  const outlets = new Outlets((frame) => void client.push(frame))
  const [slow, fast] = [new FakeChannel(), new FakeChannel()]
  expect([outlets.add(slow), outlets.add(fast)]).toEqual([true, true])
  outlets.say({ type: 'info' })
  slow.bufferedBytes = 1024 * 1024 + 1
  outlets.reflect({ type: 'session.input_audio.append', audio: '' })
  outlets.say({ type: 'info' }, 'mine')
  expect(slow).toMatchObject({ closedWith: 'too_slow' })
  expect(slow.frames).toHaveLength(1)
  expect(fast.frames).toHaveLength(3)
  expect(client).toHaveLength(2)
  expect(fast.frames[2]).toBe(client[1])
  expect(JSON.parse(client[1] ?? '')).toMatchObject({ client_event_id: 'mine', event_id: expect.any(String) })
})

test('a session has so many observers and no more; the end closes them', () => {
  const outlets = new Outlets(() => {})
  const all = Array.from({ length: maxObservers }, () => new FakeChannel())
  expect(all.every((each) => outlets.add(each))).toBe(true)
  expect(outlets.add(new FakeChannel())).toBe(false)
  outlets.end(undefined)
  expect(all.every(({ closedWith }) => closedWith === 'closed')).toBe(true)
  expect(outlets.isObserved).toBe(false)
})
