// A person at the console of a test gateway: signs in, keeps the cookies, sends the CSRF token.

import type { OperatorView } from '../../gateway/protocol/rest.ts'

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

export class Operator {
  readonly #url: string
  readonly #cookies = new Map<string, string>()
  csrf = ''
  id = ''

  constructor(url: string) {
    this.#url = url
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** By the one-time link that the gateway prints. */
  static async byLink(url: string, signInUrl: string): Promise<Operator> {
    const operator = new Operator(url)
    const token = signInUrl.split('#token=')[1] ?? ''
    operator.knows((await operator.send('POST', '/v1/console/sign-in', { token })).body)
    return operator
  }

  /** Takes id and CSRF token out of an answer that tells the operator. */
  knows(body: unknown): void {
    const view = body as OperatorView
    this.csrf = view.csrf
    this.id = view.id
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        origin: this.#url,
        ...(this.#cookies.size === 0 ? {} : { cookie: this.cookie }),
        ...(this.csrf === '' ? {} : { 'x-parley-csrf': this.csrf }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    for (const each of response.headers.getSetCookie()) {
      const [pair = ''] = each.split(';')
      const at = pair.indexOf('=')
      if (/max-age=0/i.test(each)) this.#cookies.delete(pair.slice(0, at))
      else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
  }
}
