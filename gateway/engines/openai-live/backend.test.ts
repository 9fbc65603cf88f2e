import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ScriptedBackend } from '../../../test/harness/scripted-live-backend.ts'
import type { ClientEvent } from '../../../test/harness/scripted-live-wire.ts'
import { Backend } from './backend.ts'
import { LiveMeters } from './meters.ts'

const model = 'gpt-6-luna'

function setup() {
  const sent: string[] = []
  const calls: string[] = []
  const failed: string[] = []
  const state = { done: 0 }
  const meters = new LiveMeters()
  const backend = new Backend(model, meters, {
    send: (event) => void sent.push(String(event.type)) === undefined,
    called: ({ callId }) => void calls.push(callId),
    done: () => state.done++,
    failed: (code) => void failed.push(code),
    usage: () => {},
  })
  const created = (id: string) => backend.nested({ type: 'response.created', response: { id } })
  const call = (callId: string) =>
    backend.nested({
      type: 'response.output_item.done',
      item: { type: 'function_call', call_id: callId, name: 'look_up', arguments: '{}' },
    })
  const over = (id: string, type = 'response.completed', more = {}) =>
    backend.nested({ type, response: { id, usage: { input_tokens: 10, output_tokens: 2 }, ...more } })
  const creates = () => sent.filter((type) => type === 'response.create').length
  return { backend, sent, calls, failed, state, meters, created, call, over, creates }
}

it('goes on once for a batch of calls, when the last of them is answered', () => {
  const { backend, created, call, over, creates, calls } = setup()
  created('r1')
  call('a')
  call('b')
  over('r1')
  expect(calls).toEqual(['a', 'b'])
  expect(backend.result('a', '1').is).toBe('accepted')
  backend.respond()
  expect(creates()).toBe(0)
  backend.result('b', '2')
  expect(creates()).toBe(1)
  created('r2')
  over('r2')
  expect([backend.working, creates()]).toEqual([false, 1])
})

it('does not go on while another response of the session runs or waits', () => {
  const { backend, created, call, over, creates } = setup()
  created('r1')
  call('a')
  over('r1')
  created('r2')
  backend.result('a', '1')
  backend.respond()
  expect(creates()).toBe(0)
  call('c')
  over('r2')
  expect(creates()).toBe(0)
  backend.result('c', '3')
  expect(creates()).toBe(1)
})

it('calls each once, and takes no answer to a call that was never made or is answered', () => {
  const { backend, created, call, calls } = setup()
  created('r1')
  call('a')
  call('a')
  expect(calls).toEqual(['a'])
  backend.result('a', '1')
  expect(backend.result('a', '1')).toEqual({ is: 'rejected', reason: 'unknown_call' })
  expect(backend.result('b', '1')).toEqual({ is: 'rejected', reason: 'unknown_call' })
})

it('waits for no answer to the calls of a response that failed, and tells why it did', () => {
  const { backend, created, call, over, failed } = setup()
  created('r1')
  call('a')
  over('r1', 'response.failed', { error: { code: 'server_error' } })
  expect([backend.working, failed]).toEqual([false, ['server_error']])
})

it('answers what was written, and tells a request that was refused', () => {
  const { backend, sent, failed, state } = setup()
  backend.respond()
  expect([sent, backend.working, state.done]).toEqual([[], false, 1])
  backend.wrote('What are your hours?')
  backend.respond()
  expect(sent).toEqual(['response.item.create', 'response.create'])
  expect(backend.refused('event_of_another', 'x')).toBe(false)
  expect(backend.refused('event_parley_respond', 'rate_limit_exceeded')).toBe(true)
  expect(failed).toEqual(['rate_limit_exceeded'])
  backend.wrote('And then?')
  backend.respond()
  expect(backend.refused('event_parley_respond', 'invalid_request')).toBe(true)
  expect([failed.length, backend.working, state.done]).toEqual([1, false, 2])
})

it('says what it cannot read instead of throwing', () => {
  const { backend } = setup()
  for (const type of ['response.created', 'response.completed', 'response.output_item.done']) {
    fc.assert(fc.property(fc.jsonValue(), (item) => void backend.nested({ type, item, response: item })))
    expect(backend.nested({ type })).toBe(false)
  }
  expect(backend.nested({ type: 'response.output_item.done', item: { type: 'message' } })).toBe(true)
  expect(backend.nested({ type: 'response.output_item.done', item: { type: 'function_call' } })).toBe(false)
  expect(backend.nested({ type: 'response.web_search_call.searching' })).toBe(true)
})

/** Any order of work, calls and answers against the provider's own rule: it refuses to go on while a call is unanswered. */
it('is never refused by the provider, and always comes to an end', () => {
  const step = fc.constantFrom('write', 'respond', 'answer', 'delegate')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.infiniteStream(fc.nat(3)), (steps, dice) => {
      const refused: string[] = []
      const open: string[] = []
      const meters = new LiveMeters()
      let tokens = 0
      const provider = new ScriptedBackend({
        send: ({ type, event }) => {
          if (type === 'response.event') backend.nested(event as { type: string })
        },
        replyTo: () => {
          const count = dice.next().value ?? 0
          const calls = Array.from({ length: count }, () => ({ name: 'look_up', arguments: {} }))
          tokens += 13
          const usage = { input: 11, cached: 3, output: 2 }
          return count === 0 ? { say: 'Done.', usage } : { calls, usage }
        },
        say: () => {},
        refuse: (code, message, from) => {
          refused.push(message)
          backend.refused(from ?? undefined, code)
        },
        delegations: new Set(),
        model: () => model,
      })
      const backend: Backend = new Backend(model, meters, {
        send: (event) => {
          provider.apply(event as Extract<ClientEvent, { type: 'response.item.create' | 'response.create' }>)
          return true
        },
        called: ({ callId }) => void open.push(callId),
        done: () => {},
        failed: () => {},
        usage: () => {},
      })
      const answer = () => {
        const callId = open.shift()
        if (callId === undefined) return
        backend.result(callId, 'yes')
        backend.respond()
      }
      for (const each of steps) {
        if (each === 'write') backend.wrote('And now?')
        else if (each === 'respond') backend.respond()
        else if (each === 'answer') answer()
        else if (!backend.working) provider.delegated('Look it up.')
      }
      for (let i = 0; open.length > 0 && i < 500; i++) answer()
      // Whatever the voice took up by itself before it was asked for is answered with its own.
      expect(refused.filter((why) => why !== 'There is nothing to respond to.')).toEqual([])
      expect(backend.working).toBe(false)
      const booked = Object.values(meters.totals).reduce((sum, value) => sum + value, 0)
      expect(booked).toBe(tokens)
    }),
  )
})
