import { expect, test } from 'vitest'
import { Calls, type CallsDeps } from './calls.ts'
import { nativeLoader } from './native.ts'

test('a machine without the library is told of once, and every call is refused by name', async () => {
  const told: unknown[] = []
  let tries = 0
  const loadNative = nativeLoader({ warn: (facts: unknown) => void told.push(facts) }, () => {
    tries++
    return Promise.reject(new Error('Could not find wrtc binary'))
  })
  // Nothing else is asked before: who is refused for this takes the WebSocket.
  const calls = new Calls({ webrtc: { on: true }, loadNative } as unknown as CallsDeps)
  const asked = { token: 'any', agent: undefined, model: undefined, origin: undefined, host: undefined }
  for (let i = 0; i < 2; i++) {
    const placing = {
      asked,
      ip: '',
      sdp: 'v=0',
      update: undefined,
      parley: false,
      resume: undefined,
      takesDirect: false,
    }
    await expect(calls.place(placing)).rejects.toMatchObject({ code: 'webrtc_unavailable', kind: { http: 501 } })
  }
  await expect(calls.ice(asked)).rejects.toMatchObject({ code: 'webrtc_unavailable' })
  expect(tries).toBe(1)
  expect(told).toEqual([{ reason: 'Could not find wrtc binary' }])
})
