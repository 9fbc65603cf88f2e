import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

const create = { type: 'response.create' } as const

test('[S47] of speech that ends while an answer is made, one answer serves all', () => {
  const turns = new Turns()
  expect(turns.ask(create, true, true)).toBeUndefined()
  expect(turns.ask(create, true, true)).toBeUndefined()
  expect(turns.next(false)).toBeDefined()
  turns.started()
  expect(turns.next(false)).toBeUndefined()
})

test('[S47] speech that the server has answered itself is not answered again', () => {
  const turns = new Turns()
  const sent = turns.ask(create, false, true)
  // Its own answer began before our request came to it.
  turns.started()
  turns.refused(sent === false ? undefined : String(sent?.event_id))
  expect(turns.next(false)).toBeUndefined()
})

test('[S47] a refusal that is not ours releases nothing', () => {
  const turns = new Turns()
  const sent = turns.ask(create, false)
  expect(turns.ask(create, false)).toBeUndefined()
  turns.refused('event_client')
  turns.failed('event_client')
  expect(turns.next(false)).toBeUndefined()
  turns.refused(sent === false ? undefined : String(sent?.event_id))
  expect(turns.next(false)).toEqual(sent)
})

/** A server that makes one answer at a time, takes requests in order, and sometimes answers by itself. */
class Server {
  readonly #line: { readonly eventId: string; readonly need: number }[] = []
  isAnswering = false
  /** Needs that arose. A sentence is served by its own answer only, anything else by any answer that began after it. */
  readonly unserved = new Map<number, 'say' | 'any'>()
  readonly served = new Map<number, number>()
  answers = 0

  request(eventId: string, need: number): void {
    this.#line.push({ eventId, need })
  }

  /** Takes one request; the id that was refused, or true when an answer began, or undefined when there was none. */
  take(): string | true | undefined {
    const request = this.#line.shift()
    if (request === undefined) return undefined
    if (this.isAnswering) return request.eventId
    this.begin(request.need)
    return true
  }

  begin(own?: number): void {
    this.isAnswering = true
    this.answers++
    if (own !== undefined) this.served.set(own, (this.served.get(own) ?? 0) + 1)
    for (const [need, kind] of this.unserved) if (kind === 'any' || need === own) this.unserved.delete(need)
  }
}

test('[S47] whatever is asked and refused in whatever order, every need is served after it arose, and no sentence twice', () => {
  const step = fc.constantFrom('speech', 'respond', 'say', 'take', 'done', 'own', 'stale', 'foreign')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const turns = new Turns()
      const server = new Server()
      let needs = 0
      const send = (frame: ReturnType<Turns['ask']>): void => {
        if (frame !== undefined && frame !== false) server.request(String(frame.event_id), Number(frame.need))
      }
      const next = (): void => send(turns.next(server.isAnswering))
      const take = (): void => {
        const taken = server.take()
        if (taken === true) turns.started()
        else if (taken !== undefined) {
          turns.refused(taken)
          next()
        }
      }
      for (const what of steps) {
        if (what === 'speech' || what === 'respond' || what === 'say') {
          const asked = turns.ask({ ...create, need: needs + 1 }, server.isAnswering, what === 'speech')
          if (asked === false) continue
          server.unserved.set(++needs, what === 'say' ? 'say' : 'any')
          send(asked)
        } else if (what === 'take') take()
        else if (what === 'done') {
          server.isAnswering = false
          next()
        } else if (what === 'own' && !server.isAnswering) {
          server.begin()
          turns.started()
        } else if (what === 'stale') turns.failed('event_parley_answer_0')
        else if (what === 'foreign') turns.refused('event_of_the_client')
      }
      for (let i = 0; i < 200; i++) {
        take()
        server.isAnswering = false
        next()
      }
      expect([...server.unserved.keys()]).toEqual([])
      expect([...server.served.values()].every((times) => times === 1)).toBe(true)
      if (!steps.includes('own')) expect(server.answers).toBeLessThanOrEqual(needs)
    }),
    { numRuns: 400 },
  )
})
