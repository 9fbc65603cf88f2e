// One request. A server closes connections that were idle; the first request to notice is made again on a new one.

import { failureOf } from './failure.ts'

/** As `fetch`, which asks once more when no answer began and nobody said why. */
export async function reach(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (thrown) {
    if (init?.signal?.aborted === true || failureOf(thrown).code !== 'connection_lost') throw thrown
    return await fetch(url, init)
  }
}
