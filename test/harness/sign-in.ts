// A person at the console, for tests that talk to the real gateway: signed in, with cookie and CSRF token.

import { z } from 'zod'
import type { TestGateway } from './start-gateway.ts'

export interface SignedIn {
  readonly operatorId: string
  /** The session's, as a browser sends it. */
  readonly cookie: string
  /** Cookie and CSRF token, for requests of another kind. */
  readonly headers: Readonly<Record<string, string>>
  /** `tenant`: slug, ProductCo's when left out. A body goes as JSON. */
  call(
    method: string,
    path: string,
    more?: { readonly body?: unknown; readonly tenant?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<{ readonly status: number; readonly body: unknown; readonly headers: Headers }>
}

const signedIn = z.object({ id: z.string(), csrf: z.string() })

/** `role`: of a new operator in the tenant of `slug`; left out: the owner of the gateway. */
export async function signIn(gateway: TestGateway, role?: string, slug = 'productco'): Promise<SignedIn> {
  const { identity, tenants } = gateway.app.slices
  const tenant = await tenants.bySlug(slug)
  if (tenant === undefined) throw new Error(`no tenant ${slug}`)
  const operatorId =
    role === undefined ? undefined : await identity.createOperator(`A ${role}`, [{ tenantId: tenant.id, role }])
  const { token } = await identity.createSignInToken(operatorId)
  const reply = await gateway.post('/v1/console/sign-in', { token })
  const cookie = reply.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { id, csrf } = signedIn.parse(reply.body)
  return {
    operatorId: id,
    cookie,
    headers: { cookie, 'x-parley-csrf': csrf },
    async call(method, path, more = {}) {
      const url = new URL(gateway.url + path)
      url.searchParams.set('tenant', more.tenant ?? slug)
      const response = await fetch(url, {
        method,
        headers: {
          ...{ cookie, 'x-parley-csrf': csrf },
          ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...more.headers,
        },
        ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type') === 'application/json'
      return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
    },
  }
}
