// Runs one tool call to its one result.

import type { AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { Problem } from '../platform/problem.ts'
import type { Channel } from '../protocol/turn.ts'
import type { Kinds, Prepared } from './kinds.ts'
import { failure, success, type ToolOutput } from './output.ts'
import type { resultStore, toolStore } from './store.ts'

export interface ToolRun {
  readonly tenantId: TenantId
  readonly sessionId: string
  readonly callId: string
  readonly name: string
  /** JSON text, as the model wrote it. */
  readonly arguments: string
  /** The brief's tools: anything else is refused. */
  readonly allowed: readonly string[]
  readonly channel?: Channel
  /** Whose rights the call has: a tool sees what its caller sees. Left out: those of the agent by itself. */
  readonly auth?: AuthContext
  /** Who acts where `auth` is left out. */
  readonly agent?: { readonly id: string; readonly name: string }
}

/** Beyond it the person has long stopped waiting. */
const toolTimeoutMs = 10_000
const argumentChars = 16 * 1024

interface RunnerDeps {
  readonly tools: Pick<ReturnType<typeof toolStore.open>, 'named'>
  readonly results: ReturnType<typeof resultStore.open>
  readonly kinds: Kinds
  readonly log: Log
  readonly clock: Clock
  readonly agentAuth: AgentAuth
}

/** What an agent may do that acts by itself. Who may do what is decided elsewhere: joined in slices.ts. */
export type AgentAuth = (
  tenantId: TenantId,
  agent: { readonly id: string; readonly name: string },
) => Promise<AuthContext>

const anyAgent = { id: 'agent', name: 'Agent' }

export function createRunner(deps: RunnerDeps): { run(call: ToolRun): Promise<ToolOutput> } {
  const running = new Map<string, Promise<ToolOutput>>()

  const keep = (call: ToolRun, result: ToolOutput) =>
    deps.results.keep(keyOf(call), {
      name: call.name,
      ...(call.channel === undefined ? {} : { channel: call.channel }),
      ...result,
    })

  async function execute(call: ToolRun): Promise<ToolOutput> {
    const [known, [tool]] = await Promise.all([
      deps.results.find(keyOf(call)),
      deps.tools.named(call.tenantId, [call.name]),
    ])
    if (known !== undefined) return known
    // The same words for a tool that is not there and one that is not allowed: nothing to find out.
    if (tool === undefined || !call.allowed.includes(call.name)) {
      return failure('unknown_tool', 'There is no such tool here.')
    }
    const args = parseArguments(call.arguments)
    const prepared: Prepared =
      args === undefined
        ? { is: 'invalid', issues: [{ path: '', message: 'not a JSON object' }] }
        : deps.kinds[tool.kind].prepare(args)
    const result =
      prepared.is === 'invalid'
        ? failure('invalid_arguments', 'The arguments do not fit the tool.', prepared.issues)
        : await answer(call, prepared)
    return keep(call, result)
  }

  /** What the caller may not do or asked wrongly is told in words that name no internals; everything else is a failure. */
  async function answer(call: ToolRun, prepared: Extract<Prepared, { is: 'ready' }>): Promise<ToolOutput> {
    const { tenantId, agent = anyAgent } = call
    const auth = async () => call.auth ?? deps.agentAuth(tenantId, agent)
    try {
      return success(await prepared.run({ tenantId, auth }))
    } catch (error) {
      if (!(error instanceof Problem) || error.kind.level === 'error') throw error
      return failure(error.code, error.message, error.details.issues)
    }
  }

  async function guarded(call: ToolRun): Promise<ToolOutput> {
    const tell = (error: unknown, what: string) =>
      deps.log.warn({ err: error, tenantId: call.tenantId, sessionId: call.sessionId, tool: call.name }, what)
    const late = Promise.withResolvers<ToolOutput>()
    const timer = deps.clock.after(toolTimeoutMs, () => {
      const result = failure('timeout', 'The tool took too long.')
      late.resolve(result)
      // The model was told: a result that comes after all must not become a second answer.
      keep(call, result).catch((error: unknown) => tell(error, 'tool result not kept'))
    })
    try {
      return await Promise.race([execute(call), late.promise])
    } catch (error) {
      tell(error, 'tool failed')
      return failure('failed', 'The tool does not work right now.')
    } finally {
      timer.cancel()
    }
  }

  return {
    run(call) {
      const key = JSON.stringify([call.tenantId, call.sessionId, call.callId])
      const same = running.get(key)
      if (same !== undefined) return same
      const result = guarded(call).finally(() => running.delete(key))
      running.set(key, result)
      return result
    },
  }
}

const keyOf = ({ tenantId, sessionId, callId }: ToolRun) => ({ tenantId, sessionId, callId })

/** No text at all means no arguments. Undefined: not a JSON object. */
function parseArguments(text: string): object | undefined {
  if (text.trim() === '') return {}
  if (text.length > argumentChars) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
