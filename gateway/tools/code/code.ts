// Tools of a tenant's own code. It never runs in this process: an executor that the operator sets up is asked, over a signed
// request. The wire is in README.md; a reference executor in scripts/tool-executor.ts.

import { Script } from 'node:vm'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import { EffectUnknown, type Executor, type JsonObject, type ToolContext, type ToolResult } from '../tool.ts'

export interface CodeDeps {
  /** Undefined: there is no executor, such tools can neither be saved nor run. */
  readonly executor: { readonly url: string; readonly secret: string } | undefined
  readonly clock: Clock
}

const spec = z.strictObject({
  handlerCode: z
    .string()
    .min(1)
    .max(32_000)
    .describe('Body of an async JavaScript function of `args` and `context`; what it returns is the result.'),
})
const answer = z.union([
  z.strictObject({ result: z.json() }),
  z.strictObject({ error: z.strictObject({ code: z.string().max(64), message: z.string().max(1_000) }) }),
])

const answerBytes = 256 * 1024
/** Of the tool's time, for the way there and back. */
const wayMs = 500

export function createCodeExecutor({ executor, clock }: CodeDeps): Executor {
  return {
    kind: 'code',
    check(given) {
      if (executor === undefined) throw noExecutor()
      const parsed = spec.safeParse(given)
      if (!parsed.success) throw new Problem('invalid', `spec.handlerCode: ${parsed.error.issues[0]?.message}`)
      checkSyntax(parsed.data.handlerCode)
      return parsed.data
    },
    async run(tool, args, context) {
      if (executor === undefined) throw noExecutor()
      const { handlerCode } = spec.parse(tool.spec)
      const timeoutMs = Math.max(wayMs, (tool.timeoutMs ?? 10_000) - wayMs)
      const body = JSON.stringify({
        ...{ tool: tool.name, tenantId: context.tenantId, sessionId: context.sessionId, callId: context.callId },
        ...{ key: context.key, handlerCode, arguments: args, timeoutMs },
      })
      const headers = signed(executor.secret, { id: context.key, body, nowMs: clock.now() })
      return resultOf(await ask({ url: executor.url, body, headers }, { context, readOnly: tool.readOnly === true }))
    },
  }
}

const noExecutor = (): Problem => new Problem('unsupported', 'Code does not run here: no executor is set up.')

/** Only parsed, never run. */
function checkSyntax(code: string): void {
  try {
    new Script(`(async (args, context) => {${code}\n})`)
  } catch (error) {
    throw new Problem('invalid', `spec.handlerCode: ${String(error).slice(0, 300)}`)
  }
}

/** As Standard Webhooks sign; the key is the secret's bytes. */
export function signed(
  secret: string,
  { id, body, nowMs }: { readonly id: string; readonly body: string; readonly nowMs: number },
): Record<string, string> {
  const at = new Date(nowMs)
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(Buffer.from(secret).toString('base64')).sign(id, at, body),
  }
}

async function ask(
  request: { readonly url: string; readonly body: string; readonly headers: Record<string, string> },
  { context, readOnly }: { readonly context: ToolContext; readonly readOnly: boolean },
): Promise<z.output<typeof answer>> {
  const { url, body, headers } = request
  try {
    const response = await fetch(url, { method: 'POST', redirect: 'error', headers, body, signal: context.signal })
    const text = await capped(response)
    // It says that it did not run it.
    if (response.status === 401 || response.status === 429 || response.status === 503)
      throw new Problem('unavailable', 'The executor does not take this call.', {
        cause: new Error(`${response.status}`),
      })
    const parsed = answer.safeParse(response.ok ? jsonOf(text) : undefined)
    if (!parsed.success) throw new Error(`the executor answered ${response.status} with something else`)
    return parsed.data
  } catch (error) {
    if (error instanceof Problem) throw error
    if (readOnly || isUnsent(error))
      throw new Problem('unavailable', 'The executor cannot be reached.', { cause: error })
    throw new EffectUnknown('the executor’s answer was lost', { cause: error })
  }
}

async function capped(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > answerBytes) throw new Error('the executor answered too much')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Nobody took the connection. */
function isUnsent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'UND_ERR_CONNECT_TIMEOUT'
}

function resultOf(said: z.output<typeof answer>): ToolResult {
  if ('error' in said) return { error: { code: `handler_${said.error.code}`, message: said.error.message } }
  const { result } = said
  if (Array.isArray(result)) return { count: result.length, items: result }
  return isObject(result) ? result : { value: result }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
