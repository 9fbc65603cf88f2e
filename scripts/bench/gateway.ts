// The real gateway on an empty data folder, with everything on, and room for the sessions of the bench: one API key per
// session, so that each is its own contact and conversation, and one tenant per 50 keys.

import { createApp } from '../../gateway/app.ts'
import { readConfig } from '../../gateway/config.ts'
import { answerBench, readUsage } from './calls.ts'

const [provider = '', dataDir = '', sessions = '0', kind] = process.argv.slice(2)
const engine = kind === 'cascade' ? kind : 'openai-realtime'
const sessionsPerTenant = 50
/** A million credits: no session of the bench may end for want of them. */
const grantMicro = 1_000_000 * 1_000_000
const agentSlug = 'bench'

const app = await createApp(
  readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    PARLEY_DATA_DIR: dataDir,
    PARLEY_DEMO: 'false',
    PARLEY_ENGINE: engine,
    ...(engine === 'cascade'
      ? {
          CASCADE_LLM: 'own:mind',
          CASCADE_STT: 'own:ears',
          CASCADE_TTS: 'own:mouth',
          CASCADE_SERVERS: `own=${provider} test`,
        }
      : { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: provider }),
    LOG_LEVEL: 'error',
  }),
)
const { port } = await app.start()

async function createTenant(n: number, keyCount: number): Promise<string[]> {
  const { tenants, agents, identity, ledger } = app.slices
  const { id } = await tenants.create({ slug: `bench-${n}`, name: `Bench ${n}`, plan: 'enterprise' })
  const agent = await agents.of(id).create({
    slug: agentSlug,
    name: 'Bench',
    config: { systemPrompt: 'You answer briefly.', engine },
  })
  await agents.of(id).publish(agent.id)
  await ledger.of(id).post({ key: 'bench', kind: 'grant', amountMicro: grantMicro, note: 'Bench' })
  const keys: string[] = []
  for (let i = 0; i < keyCount; i++) keys.push((await identity.createApiKey(id, `Session ${i}`)).raw)
  return keys
}

const keys: string[] = []
for (let n = 0; keys.length < Number(sessions); n++) {
  keys.push(...(await createTenant(n, Math.min(sessionsPerTenant, Number(sessions) - keys.length))))
}
answerBench({ url: `ws://127.0.0.1:${port}/v1/realtime?model=${agentSlug}`, keys }, { usage: readUsage })
