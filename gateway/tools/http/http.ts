// Tools that are a request over HTTP, described as data. Owns the request and what is taken of its answer; secrets go into
// the one and are taken out of the other. Where it may go is the guard's to say.

import type { AuthContext } from '../../platform/access.ts'
import type { FetchGuard } from '../../platform/fetch-guard/fetch-guard.ts'
import { FetchProblem } from '../../platform/fetch-guard/fetch-problem.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { EffectUnknown, type Executor, type JsonObject, type ToolContext, type ToolResult } from '../tool.ts'
import { bodyOf, type HttpAnswer, resultOf } from './answer.ts'
import { createRedactor, type Redactor } from './redact.ts'
import { type HttpRequest, requestOf } from './request.ts'
import { addressOf, type HttpSpec, parseSpec } from './spec.ts'

/** One of the gateway's own GET routes, with the rights of the caller, never over the network. Throws Problem. */
export type AskInside = (
  pathAndQuery: string,
  auth: AuthContext,
) => Promise<{ readonly status: number; readonly json: unknown }>

export interface HttpDeps {
  readonly guard: Pick<FetchGuard, 'check' | 'fetch'>
  readonly secretOf: (tenantId: TenantId, name: string) => Promise<string | undefined>
  readonly askInside: AskInside
}

/** One call with what went over the wire, secrets masked in all three. */
export interface HttpTrial {
  readonly request: HttpRequest
  /** Undefined: there was none. */
  readonly response: { readonly status: number; readonly body: string } | undefined
  readonly result: ToolResult
}

export interface HttpExecutor extends Executor {
  /** As `run`; failures are part of what is told. Throws `invalid` for arguments that make no request. */
  try(spec: JsonObject, args: JsonObject, context: ToolContext): Promise<HttpTrial>
}

/** The tool's own time is shorter: this is for the socket of a call that nobody waits for any more. */
const mostMs = 60_000
/** Of an answer that is shown to whoever writes the descriptor. */
const shownChars = 16_000

export function createHttpExecutor(deps: HttpDeps): HttpExecutor {
  return {
    kind: 'http',
    async check(given, tenantId, parameters) {
      const spec = parseSpec(given, parameters)
      const { isInside, origin } = addressOf(spec.url)
      if (!isInside) await deps.guard.check(origin)
      // So that a name that was given by mistake is told now, and not by a customer.
      for (const { secret } of spec.auth) {
        if ((await deps.secretOf(tenantId, secret)) === undefined) throw noSecret(secret)
      }
      return spec
    },
    async run(tool, args, context) {
      const call = await prepare(deps, { spec: parseSpec(tool.spec), args, context })
      const answer = await send(deps, call, context).catch((error: unknown) => {
        throw tool.readOnly === true ? error : unknownIfSent(call, error)
      })
      return resultOf(answer, call.spec)
    },
    async try(spec, args, context) {
      const call = await prepare(deps, { spec: parseSpec(spec), args, context })
      try {
        const answer = await send(deps, call, context)
        const { status, body } = answer
        const text = typeof body === 'string' ? body : JSON.stringify(body, null, 2)
        return {
          request: call.shown,
          response: { status, body: text.slice(0, shownChars) },
          result: resultOf(answer, call.spec),
        }
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        return {
          request: call.shown,
          response: undefined,
          result: { error: { code: error.code, message: error.message } },
        }
      }
    },
  }
}

interface Call {
  readonly spec: HttpSpec
  readonly request: HttpRequest
  /** The same with its secrets masked. */
  readonly shown: HttpRequest
  readonly redactor: Redactor
}

async function prepare(
  deps: HttpDeps,
  { spec, args, context }: { readonly spec: HttpSpec; readonly args: JsonObject; readonly context: ToolContext },
): Promise<Call> {
  const values = new Map<string, string>()
  for (const { secret } of spec.auth) {
    const value = await deps.secretOf(context.tenantId, secret)
    if (value === undefined) throw noSecret(secret)
    values.set(secret, value)
  }
  const parts = { spec, args, key: context.key }
  const request = requestOf(parts, (name) => values.get(name) ?? '')
  const basic = request.headers.authorization?.replace(/^Basic /, '') ?? ''
  const redactor = createRedactor([
    ...values.values(),
    ...(spec.auth.some(({ type }) => type === 'basic') ? [basic] : []),
  ])
  const shown = { ...request, url: redactor.text(request.url), headers: textsOf(redactor.json(request.headers)) }
  return { spec, request, shown, redactor }
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(value ?? {}).map(([name, each]) => [name, String(each)]))
}

async function send(deps: HttpDeps, call: Call, context: ToolContext): Promise<HttpAnswer> {
  const { request, redactor } = call
  if (addressOf(call.spec.url).isInside) {
    const { status, json } = await deps.askInside(request.url, await context.auth())
    return { status, body: json }
  }
  const { method, headers, body } = request
  const init = { method, headers, signal: context.signal, ...(body === undefined ? {} : { body }) }
  const caller = { tenantId: context.tenantId, limits: { totalMs: mostMs } }
  const response = await deps.guard.fetch(request.url, init, caller)
  return { status: response.status, body: redactor.json(bodyOf(await response.text())) }
}

/** A refusal before anything was sent is known: nothing happened. */
function unknownIfSent({ spec }: Call, error: unknown): unknown {
  const isKnown = error instanceof FetchProblem ? !error.sent : error instanceof Problem
  return spec.method === 'GET' || isKnown ? error : new EffectUnknown('the answer was lost', { cause: error })
}

const noSecret = (name: string): Problem => new Problem('invalid', `There is no secret called ${name}.`)
