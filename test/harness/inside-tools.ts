// The executor of HTTP descriptors for tests without a gateway: it asks the given routes, and nothing outside.

import { createInside } from '../../gateway/http/inside.ts'
import type { Route } from '../../gateway/platform/http.ts'
import { createHttpExecutor, type HttpExecutor } from '../../gateway/tools/http/http.ts'

export function insideTools(routes: readonly Route[]): HttpExecutor {
  const refuse = () => Promise.reject(new Error('nothing outside may be asked here'))
  return createHttpExecutor({
    guard: { check: refuse, fetch: refuse },
    secretOf: async () => undefined,
    askInside: createInside(routes),
  })
}
