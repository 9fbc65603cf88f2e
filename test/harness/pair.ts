// Two gateways in this process, on one store and one Redis: what one writes the other reads, what one says the other hears.

import { startFakeUpstash } from './fake-upstash.ts'
import { startGateway, type TestGateway } from './start-gateway.ts'

export async function startPair(
  env: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly a: TestGateway; readonly b: TestGateway }> {
  const upstash = await startFakeUpstash()
  const shared = {
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
    PARLEY_SECRET: 'a secret of more than thirty-two characters',
    PARLEY_DRAIN_SECONDS: '1',
    PUBLIC_URL: 'http://localhost:8787',
    ...env,
  }
  const a = await startGateway(shared)
  const b = await startGateway({ ...shared, PARLEY_DATA_DIR: a.dataDir, PARLEY_DEMO_API_KEY: a.apiKey })
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      await b[Symbol.asyncDispose]()
      await a[Symbol.asyncDispose]()
      await upstash[Symbol.asyncDispose]()
    },
  }
}
