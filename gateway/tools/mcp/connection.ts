// One connection to one server, of either age of the protocol: which one is found out when it is opened.

import {
  type CallToolResult,
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
} from '@modelcontextprotocol/client'
import { FetchProblem } from '../../platform/fetch-guard/fetch-problem.ts'
import { Problem } from '../../platform/problem.ts'
import type { JsonObject } from '../tool.ts'
import { maxTools } from './listing.ts'
import type { Opened, Place } from './place.ts'

/** `refused`: the server said no. `unsent`: it never had the call. `unknown`: it may have done it. `forgot`: its session is gone, the call was not taken. */
export type Called =
  | { readonly is: 'answered'; readonly result: CallToolResult }
  | { readonly is: 'refused' | 'unsent' | 'unknown' | 'forgot'; readonly words: string }

export interface Connection {
  /** Of the protocol, as both agreed. */
  readonly version: string
  readonly isOver: boolean
  /** Throws Problem `unavailable`. */
  list(): Promise<readonly unknown[]>
  call(
    tool: { readonly name: string; readonly parameters: JsonObject },
    args: JsonObject,
    signal: AbortSignal,
  ): Promise<Called>
  end(): Promise<void>
}

const connectMs = 10_000
const probeMs = 4_000
const listMs = 15_000
/** Beyond what any tool may take: the call's own signal comes first. */
const callMs = 120_000
const maxPages = 20
/** A process that says more than this in a second does not answer calls any more, it floods. */
const messagesPerSecond = 1_000

/** Throws Problem `unavailable`. */
export async function connect(place: Place, signal?: AbortSignal): Promise<Connection> {
  const opened = place.open()
  const client = new Client(
    { name: 'parley', version: '1' },
    {
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: probeMs } },
      listMaxPages: maxPages,
      // Nothing is asked of us that only a person could answer.
      inputRequired: { autoFulfill: false },
      capabilities: {},
    },
  )
  const life = { isOver: false }
  client.onclose = () => {
    life.isOver = true
  }
  client.onerror = (error) => {
    // What else went wrong is told by the request that it went wrong for. A message too long to keep would go on and on.
    if (place.isProcess && error.message.includes('exceeded maximum size')) opened.kill()
  }
  try {
    await client.connect(opened.transport, { timeout: connectMs, ...(signal === undefined ? {} : { signal }) })
  } catch (error) {
    opened.kill()
    throw new Problem('unavailable', `The server does not connect: ${wordsOf(error)}.`, { cause: error })
  }
  if (place.isProcess) limitFlood(opened)
  return connectionOf(client, opened, life)
}

function connectionOf(client: Client, opened: Opened, life: { isOver: boolean }): Connection {
  return {
    version: client.getNegotiatedProtocolVersion() ?? '',
    get isOver() {
      return life.isOver
    },
    async list() {
      try {
        const { tools } = await client.listTools(undefined, {
          timeout: listMs,
          maxTotalTimeout: listMs,
          cacheMode: 'refresh',
        })
        return tools.slice(0, 10 * maxTools)
      } catch (error) {
        throw new Problem('unavailable', `The server does not list its tools: ${wordsOf(error)}.`, { cause: error })
      }
    },
    async call({ name, parameters }, args, signal) {
      const options = {
        ...{ signal, timeout: callMs, maxTotalTimeout: callMs },
        // Without a schema of the answer: one that does not fit is an answer all the same, the call was made.
        toolDefinition: { name, inputSchema: { type: 'object' as const, ...parameters } },
      }
      try {
        return { is: 'answered', result: await client.callTool({ name, arguments: { ...args } }, options) }
      } catch (error) {
        return lostBy(error)
      }
    },
    async end() {
      life.isOver = true
      await opened.end().catch(() => opened.kill())
    },
  }
}

/** Errors after which nothing has left this machine. */
const neverSent = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID'],
])
const unsentBy: ReadonlySet<string> = new Set([
  ...[SdkErrorCode.NotConnected, SdkErrorCode.CapabilityNotSupported],
  SdkErrorCode.MethodNotSupportedByProtocolVersion,
])

export function lostBy(error: unknown): Exclude<Called, { readonly is: 'answered' }> {
  const words = wordsOf(error)
  if (error instanceof ProtocolError) return { is: 'refused', words }
  if (error instanceof FetchProblem) return { is: error.sent ? 'unknown' : 'unsent', words }
  if (error instanceof SdkHttpError) {
    const { status } = error.data
    // 404 is what the protocol says of a session that is gone, 400 what many servers do.
    if (status === 404 || status === 400) return { is: 'forgot', words }
    // A server that says 408 or 5xx may have begun.
    return { is: status >= 300 && status < 500 && status !== 408 ? 'refused' : 'unknown', words }
  }
  if (error instanceof SdkError) return { is: unsentBy.has(error.code) ? 'unsent' : 'unknown', words }
  return { is: neverSent.has(codeOf(error) ?? '') ? 'unsent' : 'unknown', words }
}

function codeOf(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 3) return undefined
  if ('code' in error && typeof error.code === 'string' && neverSent.has(error.code)) return error.code
  return codeOf(error.cause, depth + 1)
}

/** For a person or a model: no address, no body, nothing that a server made up at length. */
function wordsOf(error: unknown): string {
  if (error instanceof Problem) return error.message.replace(/\.$/, '')
  if (error instanceof ProtocolError) return `it refuses (${error.code}): ${error.message.slice(0, 300)}`
  if (error instanceof SdkHttpError) return `it answers HTTP ${error.data.status}`
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) return 'it does not answer in time'
  if (error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed) return 'the connection ended'
  if (error instanceof SdkError) return error.code.toLowerCase().replaceAll('_', ' ')
  const code = codeOf(error)
  return code === undefined ? 'the connection failed' : `the connection failed (${code})`
}

/** The client took hold of the transport when it connected: what comes is counted on its way. */
function limitFlood({ transport, kill }: Opened): void {
  const inner = transport.onmessage
  let since = performance.now()
  let count = 0
  transport.onmessage = (message, extra) => {
    const now = performance.now()
    if (now - since > 1_000) {
      since = now
      count = 0
    }
    if (++count > messagesPerSecond) kill()
    else inner?.(message, extra)
  }
}
