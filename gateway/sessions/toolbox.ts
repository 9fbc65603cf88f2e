// Tool calls of one session, off the audio path: each runs once, its result goes back to the engine as a new item,
// and the answer is asked for when all calls of a response are done and no response is active.

import type { Engine } from '../engines/engines.ts'
import type { ShownVisual } from '../protocol/visuals/visual.ts'
import { citationsOf, didRun, refusedCall, stateOf, type ToolOutput } from '../tools/tools.ts'
import type { Recorder } from './recorder.ts'

export interface ToolCall {
  readonly callId: string
  readonly name: string
  readonly arguments: string
}

export interface ToolboxOptions {
  /** Names the gateway runs; other calls belong to the client. */
  readonly names: ReadonlySet<string>
  readonly run: (call: ToolCall) => Promise<ToolOutput>
  readonly engine: Pick<Engine, 'send'>
  readonly recorder: Recorder
  readonly onRun: (name: string) => void
  readonly onActivity: () => void
  /** Whether one of our tools is at work. */
  readonly onWait?: (waits: boolean) => void
  /** A tool shows something. */
  readonly onVisual?: (visual: ShownVisual) => void
}

/** More than this in one answer is a model running in circles. */
const maxCallsPerTurn = 8

export class Toolbox {
  readonly #options: ToolboxOptions
  readonly #seen = new Set<string>()
  readonly #clientCalls = new Map<string, ToolCall>()
  #running = 0
  #callsThisTurn = 0
  #wantsAnswer = false
  #responseActive = false
  #closed = false

  constructor(options: ToolboxOptions) {
    this.#options = options
  }

  owns(name: string): boolean {
    return this.#options.names.has(name)
  }

  responseStarted(): void {
    this.#responseActive = true
  }

  responseDone(): void {
    this.#responseActive = false
    this.#answer()
  }

  /** The person spoke or wrote: a new turn, a new allowance. */
  newTurn(): void {
    this.#callsThisTurn = 0
  }

  close(): void {
    this.#closed = true
    this.#options.onWait?.(false)
  }

  call(call: ToolCall): void {
    if (this.#seen.has(call.callId)) return
    if (this.#running++ === 0) this.#options.onWait?.(true)
    void this.perform(call).then(({ output }) => {
      if (--this.#running === 0) this.#options.onWait?.(false)
      if (this.#closed) return
      this.#options.engine.send({ type: 'toolResult', callId: call.callId, output })
      this.#wantsAnswer = true
      this.#answer()
    })
  }

  /** Runs a call and writes it down; who is told its result is the caller's affair. */
  async perform(call: ToolCall): Promise<ToolOutput> {
    this.#seen.add(call.callId)
    const { recorder, onActivity, onVisual } = this.#options
    recorder.begin(call.callId, 'tool', false)
    const tool = { name: call.name, callId: call.callId, arguments: call.arguments }
    recorder.change(call.callId, { tool: { ...tool, state: 'running' } })
    onActivity()
    const result = await this.#result(call)
    const { output, visual } = result
    const ended = { ...tool, output, state: stateOf(result) }
    recorder.change(call.callId, { state: 'final', tool: ended, ...(visual === undefined ? {} : { visual }) })
    recorder.cite(citationsOf([result], ''))
    if (visual !== undefined) onVisual?.(visual)
    return result
  }

  /** A call of a tool that the client brought: written down, its result comes by `clientResult`. */
  clientCall(call: ToolCall): void {
    if (this.#clientCalls.has(call.callId)) return
    const tool = { name: call.name, callId: call.callId, arguments: call.arguments }
    this.#clientCalls.set(call.callId, tool)
    this.#options.recorder.begin(call.callId, 'tool', false)
    this.#options.recorder.change(call.callId, { tool: { ...tool, state: 'running' } })
  }

  clientResult(callId: string, output: string): void {
    const tool = this.#clientCalls.get(callId)
    if (tool !== undefined)
      this.#options.recorder.change(callId, { state: 'final', tool: { ...tool, output, state: 'ok' } })
  }

  /** How a call ended that waited for a person. */
  settle(callId: string, result: ToolOutput): void {
    const tool = this.#options.recorder.find(callId)?.tool
    if (tool?.state !== 'waiting') return
    this.#options.recorder.change(callId, { tool: { ...tool, output: result.output, state: stateOf(result) } })
  }

  /** Whether this call ran here: nobody else may answer it. */
  ran(callId: string): boolean {
    return this.#seen.has(callId)
  }

  async #result(call: ToolCall): Promise<ToolOutput> {
    if (++this.#callsThisTurn > maxCallsPerTurn) return refusedCall('too_many_tool_calls', 'Answer with what you know.')
    try {
      const result = await this.#options.run(call)
      if (didRun(result)) this.#options.onRun(call.name)
      return result
    } catch {
      return refusedCall('failed', 'The tool could not be reached.')
    }
  }

  #answer(): void {
    if (!this.#wantsAnswer || this.#running > 0 || this.#responseActive || this.#closed) return
    this.#wantsAnswer = false
    this.#options.engine.send({ type: 'respond' })
  }
}
