// The real gateway in this process, on port 0 and embedded stores in a fresh folder, with what a test needs to use it.

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, createApp, type Started } from '../../gateway/app.ts'
import { type Config, readConfig } from '../../gateway/config.ts'
import { misfitMark } from '../../gateway/http/check-reply.ts'
import { createLog } from '../../gateway/platform/log.ts'
import type { Outside } from '../../gateway/slices.ts'
import { TenancyWatch } from './tenancy.ts'

export interface TestGateway extends AsyncDisposable {
  readonly app: App
  readonly started: Started
  readonly config: Config
  readonly url: string
  readonly wsUrl: string
  /** Of the demo tenant ProductCo. */
  readonly apiKey: string
  readonly dataDir: string
  /** Log lines so far, as JSON text. */
  readonly log: readonly string[]
  /** GET with the API key. */
  get(path: string): Promise<{ status: number; body: unknown }>
  /** POST of JSON; headers as given. */
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown; headers: Headers }>
  /** A visitor's token for a demo agent's page. */
  visitorToken(siteKey?: string): Promise<string>
}

export function newApiKey(): string {
  return `af_live_${randomBytes(4).toString('hex')}_${randomBytes(16).toString('hex')}`
}

export async function startGateway(
  env: Readonly<Record<string, string>> = {},
  overrides: Partial<Outside> = {},
): Promise<TestGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-gateway-'))
  const apiKey = env.PARLEY_DEMO_API_KEY ?? newApiKey()
  const given = process.env.TEST_MONGODB_URI
  const database =
    given === undefined ? {} : { MONGODB_URI: given, MONGODB_DATABASE: `parley_test_${randomBytes(6).toString('hex')}` }
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    PARLEY_DATA_DIR: dataDir,
    PARLEY_CHECK_REPLIES: 'true',
    PARLEY_DEMO_API_KEY: apiKey,
    ...database,
    ...env,
  })
  const lines: string[] = []
  const log = overrides.log ?? createLog('debug', { write: (line) => void lines.push(line) })
  const tenancy = new TenancyWatch()
  const onCommand: TenancyWatch['onCommand'] = (name, command) => {
    tenancy.onCommand(name, command)
    overrides.onCommand?.(name, command)
  }
  const app = await createApp(config, { ...overrides, log, onCommand })
  const started = await app.start()
  // A test may ask as often as it likes.
  const { tenants } = app.slices
  const tenant = await tenants.bySlug('productco')
  if (tenant !== undefined) await tenants.of(tenant.id).change({ plan: 'enterprise' })
  const url = `http://127.0.0.1:${started.port}`
  const post: TestGateway['post'] = async (path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: await json(response), headers: response.headers }
  }
  return {
    app,
    started,
    config,
    url,
    wsUrl: url.replace('http', 'ws'),
    apiKey,
    dataDir,
    log: lines,
    post,
    async get(path) {
      const response = await fetch(url + path, { headers: { authorization: `Bearer ${apiKey}` } })
      return { status: response.status, body: await json(response) }
    },
    async visitorToken(siteKey = 'pk_demo_productco') {
      const { body } = await post('/v1/widget/bootstrap', { key: siteKey }, { origin: url })
      if (typeof body !== 'object' || body === null || !('token' in body))
        throw new Error(`no token: ${JSON.stringify(body)}`)
      return String(body.token)
    },
    async [Symbol.asyncDispose]() {
      await app.drain()
      await rm(dataDir, { recursive: true, force: true })
      tenancy.check()
      checkReplies(lines)
    },
  }
}

/** A test that does not look at an answer still hears of one that is not as declared. */
function checkReplies(lines: readonly string[]): void {
  const wrong = lines.find((line) => line.includes(misfitMark))
  if (wrong !== undefined) throw new Error(wrong)
}

async function json(response: Response): Promise<unknown> {
  const text = await response.text()
  return text === '' ? undefined : JSON.parse(text)
}
