// What of a GA provider's own events a client may see. Frames pass as they are, except what names the tenant's
// configuration (session.*), the provider's limits, and calls of tools that run here.

import { z } from 'zod'
import type { EngineEvent } from '../../engines/engines.ts'
import type { Sound } from './sound.ts'

const hidden = new Set(['session.created', 'session.updated', 'conversation.created'])
const limits = 'rate_limits.updated'
const audioDelta = 'response.output_audio.delta'

const itemSchema = z.looseObject({
  id: z.string().optional(),
  type: z.string(),
  name: z.string().optional(),
  call_id: z.string().optional(),
})
const itemEvent = z.looseObject({ item: itemSchema })
const argumentEvent = z.looseObject({ item_id: z.string() })
const deltaEvent = z.looseObject({ item_id: z.string(), delta: z.base64() })
const anyEvent = z.looseObject({})
const doneEvent = z.looseObject({ response: z.looseObject({ output: z.array(itemSchema).optional() }) })

export class Forwarder {
  readonly #serverTools: ReadonlySet<string>
  readonly #items = new Set<string>()
  readonly #calls = new Set<string>()
  readonly #sound: Sound
  readonly #active = new Set<string>()
  #last: Buffer | undefined

  constructor(serverTools: ReadonlySet<string>, sound: Sound) {
    this.#serverTools = serverTools
    this.#sound = sound
  }

  /** The response of the conversation that is being made. */
  get active(): string | undefined {
    return this.#active.values().next().value
  }

  /** The frames to send for this event. One frame may carry several events: it goes out once. */
  frames(event: EngineEvent): readonly Buffer[] {
    if (event.type === 'responseStarted') this.#active.add(event.responseId)
    else if (event.type === 'responseDone') this.#active.delete(event.responseId)
    const frame = this.#frame(event)
    if (frame === undefined) return []
    const rest = event.type === 'audioDone' ? this.#rest(event.itemId, frame) : undefined
    return rest === undefined ? [frame] : [rest, frame]
  }

  /** The last of the sound, where another format is made of it: just before its end. */
  #rest(itemId: string, done: Buffer): Buffer | undefined {
    const rest = this.#sound.rest(itemId)
    return rest === undefined ? undefined : rewritten(done, { type: audioDelta, delta: rest.toString('base64') })
  }

  #frame(event: EngineEvent): Buffer | undefined {
    const { wire } = event
    if (wire === undefined || wire === this.#last) return undefined
    if (event.type === 'audio') return this.#audible(wire)
    this.#last = wire
    if (event.type === 'ready') return undefined
    if (event.type === 'responseDone') return this.#responseDone(wire)
    if (event.type !== 'native') return wire
    if (event.name === audioDelta) return this.#audible(wire)
    // The limits are those of the provider's account; that there may be some is part of the protocol.
    if (event.name === limits) return rewritten(wire, { rate_limits: [] })
    return hidden.has(event.name) || this.#isOurs(event.name, wire) ? undefined : wire
  }

  /** As it is, unless the client hears another format. */
  #audible(wire: Buffer): Buffer {
    if (this.#sound.output === 'audio/pcm') return wire
    const parsed = deltaEvent.safeParse(JSON.parse(wire.toString()))
    if (!parsed.success) return wire
    const { item_id: itemId, delta } = parsed.data
    const bytes = this.#sound.said(itemId, Buffer.from(delta, 'base64'))
    return bytes === undefined ? wire : Buffer.from(JSON.stringify({ ...parsed.data, delta: bytes.toString('base64') }))
  }

  #isOurs(name: string, wire: Buffer): boolean {
    if (name.startsWith('response.function_call_arguments.')) {
      const parsed = argumentEvent.safeParse(JSON.parse(wire.toString()))
      return parsed.success && this.#items.has(parsed.data.item_id)
    }
    if (!name.startsWith('response.output_item.') && !name.startsWith('conversation.item.')) return false
    const parsed = itemEvent.safeParse(JSON.parse(wire.toString()))
    return parsed.success && this.#hides(parsed.data.item)
  }

  #hides(item: z.infer<typeof itemSchema>): boolean {
    if (item.type === 'function_call' && item.name !== undefined && this.#serverTools.has(item.name)) {
      if (item.id !== undefined) this.#items.add(item.id)
      if (item.call_id !== undefined) this.#calls.add(item.call_id)
      return true
    }
    return item.type === 'function_call_output' && item.call_id !== undefined && this.#calls.has(item.call_id)
  }

  /** The only frame that is ever rewritten: its list of outputs repeats the calls. */
  #responseDone(wire: Buffer): Buffer {
    if (this.#calls.size === 0) return wire
    const parsed = doneEvent.safeParse(JSON.parse(wire.toString()))
    if (!parsed.success || parsed.data.response.output === undefined) return wire
    const output = parsed.data.response.output.filter((item) => !this.#hides(item))
    if (output.length === parsed.data.response.output.length) return wire
    return Buffer.from(JSON.stringify({ ...parsed.data, response: { ...parsed.data.response, output } }))
  }
}

function rewritten(wire: Buffer, change: Readonly<Record<string, unknown>>): Buffer {
  const parsed = anyEvent.safeParse(JSON.parse(wire.toString()))
  return parsed.success ? Buffer.from(JSON.stringify({ ...parsed.data, ...change })) : wire
}
