// A page as a source: fetched by the guard, which decides what may be reached; what has not changed is not fetched again.

import type { FetchGuard } from '../platform/fetch-guard/fetch-guard.ts'
import { FetchProblem } from '../platform/fetch-guard/fetch-problem.ts'
import type { TenantId } from '../platform/ids.ts'
import { maxSourceBytes, type SourceProblemCode } from '../protocol/knowledge.ts'
import { Unreadable } from './extract/unreadable.ts'

export interface Validators {
  readonly etag?: string | undefined
  readonly lastModified?: string | undefined
}

export type Page =
  | { readonly is: 'unchanged' }
  | ({ readonly is: 'page'; readonly bytes: Uint8Array; readonly type: string } & Validators)

const totalMs = 30_000
const wanted = 'text/html, application/pdf, text/markdown, text/plain, text/csv;q=0.9, */*;q=0.1'

export interface AskedPage {
  readonly tenantId: TenantId
  readonly url: string
  /** Of what is there already. */
  readonly known: Validators
  readonly signal: AbortSignal
}

/** Throws Unreadable with words for whoever named the page. */
export async function fetchPage(
  guard: Pick<FetchGuard, 'fetch'>,
  { tenantId, url, known, signal }: AskedPage,
): Promise<Page> {
  const headers = {
    accept: wanted,
    ...(known.etag === undefined ? {} : { 'if-none-match': known.etag }),
    ...(known.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
  }
  const caller = { tenantId, lane: 'knowledge', limits: { maxBytes: maxSourceBytes, totalMs } }
  try {
    const response = await guard.fetch(url, { headers, signal }, caller)
    if (response.status === 304) return { is: 'unchanged' }
    if (!response.ok) {
      await response.body?.cancel()
      throw new Unreadable('unreachable', `The page answered with status ${response.status}.`)
    }
    return {
      ...{ is: 'page', bytes: new Uint8Array(await response.arrayBuffer()) },
      type: response.headers.get('content-type') ?? '',
      etag: response.headers.get('etag')?.slice(0, 300),
      lastModified: response.headers.get('last-modified')?.slice(0, 100),
    }
  } catch (error) {
    throw told(error)
  }
}

const codes: Readonly<Record<Exclude<FetchProblem['code'], 'too_many'>, SourceProblemCode>> = {
  ...{ address_refused: 'forbidden_address', unreachable: 'unreachable', timeout: 'unreachable' },
  too_large: 'too_large',
}

function told(error: unknown): unknown {
  // Too many requests at once pass by themselves: the reading is tried again.
  if (!(error instanceof FetchProblem) || error.code === 'too_many') return error
  return new Unreadable(codes[error.code], error.message)
}
