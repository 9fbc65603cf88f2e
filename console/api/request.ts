// `request('GET /v1/agents', …)`: paths, queries, bodies and answers typed by the API document.

import type { Api } from './schema.ts'

type Part<K extends keyof Api, P extends 'params' | 'query' | 'body'> = Api[K][P] extends undefined
  ? { readonly [name in P]?: undefined }
  : P extends 'params'
    ? { readonly [name in P]: Api[K][P] }
    : { readonly [name in P]?: Api[K][P] }
export type RequestOf<K extends keyof Api> = Part<K, 'params'> & Part<K, 'query'> & Part<K, 'body'>

/** What sends: the console's own `send` with tenant, cookies and CSRF token. */
export type Send = <T>(
  method: string,
  path: string,
  more: { readonly query: Readonly<Record<string, string>>; readonly body: unknown },
) => Promise<T>

/** Throws what `send` throws. The answer is what the document says: the gateway's tests hold it to that. */
export function requester(send: Send) {
  return async <K extends keyof Api>(name: K, { params, query, body }: RequestOf<K>): Promise<Api[K]['reply']> => {
    const [method = '', template = ''] = name.split(' ')
    const known = new Map(Object.entries(params ?? {}))
    const path = template.replaceAll(/:(\w+)/g, (_all, each: string) => encodeURIComponent(String(known.get(each))))
    const asked = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
    return send<Api[K]['reply']>(method, path, {
      query: Object.fromEntries(asked.map(([key, value]) => [key, String(value)])),
      body,
    })
  }
}
