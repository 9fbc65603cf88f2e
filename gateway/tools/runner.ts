// Runs one tool call to its one result.

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor, AuthContext } from '../platform/access.ts'
import type { Clock } from '../platform/clock.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Log } from '../platform/log.ts'
import { Problem } from '../platform/problem.ts'
import type { Channel } from '../protocol/turn.ts'
import { failure, success, type ToolOutput, unknownEffect } from './output.ts'
import { forContact } from './own-contact.ts'
import {
  type CallPolicy,
  narrowed,
  permissionFor,
  roleAllows,
  type ToolPermission,
  verdictOn,
  without,
} from './permission.ts'
import type { Registry, Tool } from './registry.ts'
import type { Begun, CallKey, callStore } from './store.ts'
import { EffectUnknown, type Prepared, type ToolContext } from './tool.ts'

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
  readonly conversationId?: string
  /** Who is on the other side. */
  readonly contactId?: string
  /** Who asked the agent: a visitor, a key, an operator. */
  readonly caller?: Actor
  /** Whose rights the call has, whatever the permissions say. Left out: as they say. */
  readonly auth?: AuthContext
  /** Who acts where nobody else does. */
  readonly agent?: { readonly id: string; readonly name: string; readonly version?: number }
  /** Asked in a live session. Left out: in writing. */
  readonly isLive?: boolean
  /** Of the agent's config. Left out: the call runs. */
  readonly policy?: CallPolicy
}

/** A call that a person is asked about: nothing has happened. */
export interface ParkedCall {
  readonly call: ToolRun
  readonly tool: Tool
  /** As the tool would get them. */
  readonly args: Readonly<Record<string, unknown>>
}

/** Where calls wait for a person. Asked again with the same call, it gives the same answer. */
export type Park = (parked: ParkedCall) => Promise<ToolOutput>

/** What an agent may do that acts by itself. Who may do what is decided elsewhere: joined in slices.ts. */
export type AgentAuth = (
  tenantId: TenantId,
  agent: { readonly id: string; readonly name: string; readonly role?: string },
) => Promise<AuthContext>

/** The rights of those who ask an agent; undefined: they have none any more. */
export type CallerAuth = (tenantId: TenantId, caller: Actor, agentId: string) => Promise<AuthContext | undefined>

export interface Rights {
  readonly agent: AgentAuth
  readonly caller: CallerAuth
  /** Everything in the tenant, in this actor's name. */
  readonly system: (tenantId: TenantId, actor: Actor) => AuthContext
}

interface RunnerDeps {
  readonly rights: Rights
  readonly registry: Pick<Registry, 'named'>
  readonly calls: ReturnType<typeof callStore.open>
  readonly park: Park
  readonly log: Log
  readonly clock: Clock
}

export interface ApprovedRun extends ToolRun {
  readonly isTakenOver?: boolean
}

interface Approved {
  readonly isTakenOver: boolean
}

export interface Runner {
  run(call: ToolRun): Promise<ToolOutput>
  /**
   * A call that a person approved: nobody is asked again, all else is. `callId` must be the approval's own. `isTakenOver`:
   * whoever began it is dead, its time need not be waited for.
   */
  runApproved(call: ApprovedRun): Promise<ToolOutput>
}

const argumentChars = 16 * 1024
/** Past its own time a call is given this before another process takes it for lost. */
const graceMs = 30_000
const pollMs = 250
/** The one kind whose items are cited. */
const citingKind = 'knowledge.search'
const anyAgent = { id: 'agent', name: 'Agent' }

/** What a call of an effect that nobody can tell is answered with. */
const lost = 'It is not known whether this happened. Do not try it again: say that somebody will look into it.'

export function createRunner(deps: RunnerDeps): Runner {
  const running = new Map<string, Promise<ToolOutput>>()
  const once = (call: ToolRun, approved?: Approved): Promise<ToolOutput> => {
    const key = JSON.stringify([call.tenantId, call.sessionId, call.callId])
    const same = running.get(key)
    if (same !== undefined) return same
    const result = new Attempt(deps, call, approved).result().finally(() => running.delete(key))
    running.set(key, result)
    return result
  }
  return { run: (call) => once(call), runApproved: ({ isTakenOver = false, ...call }) => once(call, { isTakenOver }) }
}

/** One call in this process. */
class Attempt {
  readonly #deps: RunnerDeps
  readonly #call: ToolRun
  readonly #approved: Approved | undefined
  readonly #abort = new AbortController()
  /** From here on something may have happened. */
  #effects = false

  constructor(deps: RunnerDeps, call: ToolRun, approved: Approved | undefined) {
    this.#deps = deps
    this.#call = call
    this.#approved = approved
  }

  async result(): Promise<ToolOutput> {
    try {
      return await this.#execute()
    } catch (error) {
      this.#tell(error, 'tool failed')
      return this.#broken()
    }
  }

  /** It threw what nobody expected: with effects, some of them may have happened. */
  #broken(): ToolOutput {
    return this.#effects ? unknownEffect(lost) : failure('failed', 'The tool does not work right now.')
  }

  async #execute(): Promise<ToolOutput> {
    const { registry, calls } = this.#deps
    const { tenantId, name, allowed } = this.#call
    const [known, [tool]] = await Promise.all([calls.find(this.#key), registry.named(tenantId, [name])])
    if (known?.is === 'done') return known.output
    // The same words for a tool that is not there and one that is not allowed: nothing to find out.
    if (tool === undefined || !allowed.includes(name)) return failure('unknown_tool', 'There is no such tool here.')
    const prepared = prepare(tool, this.#call.arguments)
    if (prepared.is === 'invalid')
      return this.#keep(failure('invalid_arguments', 'The arguments do not fit the tool.', prepared.issues))
    const refused = await this.#judged(tool, prepared.args)
    return refused ?? this.#timed(tool, prepared, known)
  }

  /** Undefined: it runs. */
  async #judged(tool: Tool, args: Readonly<Record<string, unknown>>): Promise<ToolOutput | undefined> {
    const { policy, tenantId, caller, agent = anyAgent } = this.#call
    if (policy === undefined) return undefined
    const verdict = verdictOn(policy, tool)
    if (verdict.is === 'refuse') return this.#keep(failure('not_permitted', verdict.message))
    const permission = permissionFor(policy, tool.name)
    if (permission !== undefined && permission.roles.length > 0) {
      const auth = caller === undefined ? undefined : await this.#deps.rights.caller(tenantId, caller, agent.id)
      if (!roleAllows(permission, auth))
        return this.#keep(failure('not_permitted', 'Whoever asks may not have this done.'))
    }
    if (verdict.is === 'run' || this.#approved !== undefined) return undefined
    return this.#keep(await this.#deps.park({ call: this.#call, tool, args }))
  }

  async #timed(tool: Tool, prepared: Ready, known: Begun | undefined): Promise<ToolOutput> {
    const late = Promise.withResolvers<ToolOutput>()
    const timer = this.#deps.clock.after(tool.timeoutMs, () => {
      this.#abort.abort()
      const told = this.#effects ? unknownEffect(lost) : failure('timeout', 'The tool took too long.')
      late.resolve(told)
      // The model was told: a result that comes after all must not become a second answer.
      if (this.#effects || tool.retry === 'again')
        this.#keep(told).catch((error: unknown) => this.#tell(error, 'tool result not kept'))
    })
    try {
      return await Promise.race([this.#begun(tool, prepared, known), late.promise])
    } finally {
      timer.cancel()
    }
  }

  /** What may happen once only is written down before it happens. */
  async #begun(tool: Tool, prepared: Ready, known: Begun | undefined): Promise<ToolOutput> {
    if (tool.readOnly) return this.#keep(await this.#answer(tool, prepared))
    const { calls, clock } = this.#deps
    const until = () => new Date(clock.now() + tool.timeoutMs + graceMs)
    let at = known ?? (await calls.begin(this.#key, this.#facts, until()))
    while (at.is === 'started') {
      if (at.untilMs <= clock.now() || this.#approved?.isTakenOver === true) {
        if (tool.retry === 'unknown') return this.#keep(unknownEffect(lost))
        if (await calls.takeOver(this.#key, at.attempt, until())) break
      } else if (this.#abort.signal.aborted) return failure('timeout', 'The tool took too long.')
      else await sleep(pollMs)
      at = (await calls.find(this.#key)) ?? at
    }
    if (at.is === 'done') return at.output
    this.#effects = true
    return this.#keep(await this.#answer(tool, prepared))
  }

  /** What the caller may not do or asked wrongly is told in words that name no internals; everything else is a failure. */
  async #answer(tool: Tool, prepared: Ready): Promise<ToolOutput> {
    const permission = this.#permission(tool)
    try {
      const result = await prepared.run(this.#context(permission))
      const told = success(without(result, permission?.deniedFields ?? []))
      return tool.kind === citingKind ? { ...told, cites: true } : told
    } catch (error) {
      if (error instanceof EffectUnknown) {
        this.#tell(error, 'what a tool did is not known')
        return unknownEffect(lost)
      }
      if (error instanceof Problem && error.kind.level !== 'error')
        return failure(error.code, error.message, error.details.issues)
      this.#tell(error, 'tool failed')
      return this.#broken()
    }
  }

  #permission(tool: Tool): ToolPermission | undefined {
    const { policy } = this.#call
    return policy === undefined ? undefined : permissionFor(policy, tool.name)
  }

  #context(permission: ToolPermission | undefined): ToolContext {
    const { tenantId, sessionId, callId, channel, conversationId, contactId, agent = anyAgent } = this.#call
    return {
      ...{ tenantId, sessionId, callId, agent, key: keyOf(this.#key), signal: this.#abort.signal },
      ...(channel === undefined ? {} : { channel }),
      ...(conversationId === undefined ? {} : { conversationId }),
      ...(contactId === undefined ? {} : { contactId }),
      auth: () => authFor(this.#deps.rights, this.#call, permission),
    }
  }

  #keep(result: ToolOutput): Promise<ToolOutput> {
    return this.#deps.calls.keep(this.#key, this.#facts, result)
  }

  get #key(): CallKey {
    const { tenantId, sessionId, callId } = this.#call
    return { tenantId, sessionId, callId }
  }

  get #facts() {
    const { name, channel } = this.#call
    return { name, ...(channel === undefined ? {} : { channel }) }
  }

  #tell(error: unknown, what: string): void {
    const { tenantId, sessionId, name } = this.#call
    this.#deps.log.warn({ err: error, tenantId, sessionId, tool: name }, what)
  }
}

type Ready = Extract<Prepared, { is: 'ready' }>

function keyOf({ tenantId, sessionId, callId }: CallKey): string {
  return createHash('sha256')
    .update(JSON.stringify([tenantId, sessionId, callId]))
    .digest('hex')
}

/** As the permission says; without one the agent acts by itself, and for whom it talks with. */
async function authFor(
  rights: Rights,
  { auth, tenantId, agent = anyAgent, caller, contactId }: ToolRun,
  permission: ToolPermission | undefined,
): Promise<AuthContext> {
  if (auth !== undefined) return permission === undefined ? auth : narrowed(auth, permission)
  const own = async () => {
    const byItself = await rights.agent(tenantId, agent)
    return contactId === undefined ? byItself : forContact(byItself, contactId)
  }
  if (permission === undefined) return own()
  const { identity, role } = permission
  if (identity === 'system') return narrowed(rights.system(tenantId, { kind: 'agent', ...agent }), permission)
  if (identity === 'configured')
    return narrowed(role === null ? await own() : await rights.agent(tenantId, { ...agent, role }), permission)
  const asking = caller === undefined ? undefined : await rights.caller(tenantId, caller, agent.id)
  if (asking === undefined) throw new Problem('forbidden')
  return narrowed(asking, permission)
}

function prepare(tool: Tool, text: string): Prepared {
  const args = parseArguments(text)
  return args === undefined
    ? { is: 'invalid', issues: [{ path: '', message: 'not a JSON object' }] }
    : tool.prepare(args)
}

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
