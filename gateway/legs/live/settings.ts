// The configuration of a session that has started: what a later update may change of it, and how a client sees it.

import type { EngineTool } from '../../engines/engines.ts'
import type { LegPort } from '../../sessions/sessions.ts'
import { refusalOf } from '../realtime/refusal.ts'
import { errorOf, type LiveError, liveError } from './live-error.ts'
import type { ResponsesSettings, SessionChange } from './session-config.ts'
import { forbiddenResponses, impossibleResponses, type Plan, type Policy, toolsOf } from './session-plan.ts'

export interface SettingsNeeds {
  readonly plan: Plan
  readonly policy: Policy
  readonly port: LegPort
  readonly serverTools: readonly EngineTool[]
  readonly sessionId: string
  /** Unix time, seconds. */
  readonly expiresAt: number
}

export class Settings {
  readonly #needs: SettingsNeeds
  #tools: readonly EngineTool[]
  #instructions: string | undefined

  constructor(needs: SettingsNeeds) {
    const { plan } = needs
    this.#needs = needs
    this.#tools = plan.clientTools
    this.#instructions = plan.delegation.type === 'responses' ? plan.delegation.instructions : undefined
  }

  /** What is wrong with it; undefined: it is done. */
  change({ delegation, triggers = [] }: SessionChange): LiveError | undefined {
    const { plan, policy } = this.#needs
    const param = 'session.delegation'
    if (triggers.length > 0) return liveError('unsupported_value', 'Triggers are not served here.', 'session.triggers')
    if (delegation === undefined) return undefined
    if ((delegation?.type ?? 'client') !== plan.delegation.type)
      return liveError('immutable_field_update', 'The kind of delegation is decided at the start.', `${param}.type`)
    if (delegation?.type !== 'responses') return undefined
    const { responses } = delegation
    const error = impossibleResponses(responses) ?? forbiddenResponses(responses, policy)
    return error ?? this.#change(responses)
  }

  #change(responses: ResponsesSettings): LiveError | undefined {
    const { port, serverTools, plan, policy } = this.#needs
    const { instructions } = responses ?? {}
    const tools = responses?.tools === undefined && responses?.tool_choice == null ? undefined : toolsOf(responses)
    const own = tools?.filter(({ name }) => !serverTools.some((ours) => ours.name === name))
    const voice = plan.told.instructions
    const text = [typeof voice === 'string' ? voice : policy.brief.instructions, instructions].join('\n\n')
    const fields = {
      ...(own === undefined ? {} : { tools: [...serverTools, ...own] }),
      ...(instructions == null ? {} : { instructions: text }),
    }
    if (Object.keys(fields).length === 0) return undefined
    const answer = port.command({ type: 'update', fields })
    if ('reason' in answer) return errorOf(refusalOf(answer))
    this.#tools = own ?? this.#tools
    this.#instructions = instructions ?? this.#instructions
    return undefined
  }

  /** As the client may see it: the tenant's own instructions and tools stay here. */
  resource(): Readonly<Record<string, unknown>> {
    const { plan, sessionId, expiresAt } = this.#needs
    return { id: sessionId, ...plan.told, status: 'active', expires_at: expiresAt, delegation: this.#delegation() }
  }

  #delegation(): Readonly<Record<string, unknown>> {
    const { delegation } = this.#needs.plan
    if (delegation.type === 'client') return { type: 'client' }
    const instructions = this.#instructions === undefined ? {} : { instructions: this.#instructions }
    const tools = this.#tools.map((tool) => ({ type: 'function', ...tool }))
    return { type: 'responses', responses: { model: delegation.model, ...instructions, tools } }
  }
}
