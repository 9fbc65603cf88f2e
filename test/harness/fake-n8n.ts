// n8n as the gateway meets it: production webhooks of active workflows behind header auth, and its words for those that are not.

import { type Answered, FakeProvider, type Received } from './fake-provider.ts'

export interface StartedRun {
  readonly path: string
  readonly headers: Received['headers']
  readonly body: string
}

export class FakeN8n extends FakeProvider {
  readonly authorization = 'Bearer n8n-token'
  readonly runs: StartedRun[] = []
  readonly #workflows = new Map<string, Answered>()

  static async open(): Promise<FakeN8n> {
    return new FakeN8n().start()
  }

  /** An active workflow and what it answers with. */
  workflow(path: string, answer: Answered = { status: 200, json: { message: 'Workflow got started.' } }): this {
    this.#workflows.set(path, answer)
    return this
  }

  protected answer({ method, path, headers, bytes }: Received): Answered {
    const name = path.replace(/^\/webhook\//, '')
    const answer = this.#workflows.get(name)
    if (method !== 'POST' || !path.startsWith('/webhook/') || answer === undefined) {
      const message = `The requested webhook "${method} ${name}" is not registered.`
      const hint = 'The workflow must be active for a production URL to run successfully.'
      return { status: 404, json: { code: 404, message, hint } }
    }
    if (headers.authorization !== this.authorization) return { status: 403, text: 'Authorization data is wrong!' }
    this.runs.push({ path: name, headers, body: bytes.toString('utf8') })
    return answer
  }
}
