// `parley agent …` as people run it: a process of its own, also in a Node that knows no TypeScript, against the real gateway.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AgentFile } from '../../gateway/protocol/agents.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

const bin = join(import.meta.dirname, '../../scripts/parley.mjs')
let gateway: TestGateway
let dir: string
const keys = { read: '', write: '', deploy: '' }
beforeAll(async () => {
  gateway = await startGateway()
  dir = await mkdtemp(join(tmpdir(), 'parley-cli-'))
  const { tenants, identity } = gateway.app.slices
  const tenant = (await tenants.bySlug('productco'))!
  const keyWith = async (...scopes: ('agents.read' | 'agents.write' | 'agents.deploy')[]) =>
    (await identity.createApiKey(tenant.id, scopes.join(' '), { scopes })).raw
  keys.read = await keyWith('agents.read')
  keys.write = await keyWith('agents.read', 'agents.write')
  keys.deploy = await keyWith('agents.read', 'agents.write', 'agents.deploy')
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

async function parley(args: string[], own: { key?: string; node?: string[] } = {}) {
  const env = { PARLEY_URL: gateway.url, PARLEY_API_KEY: own.key ?? keys.deploy }
  const ran = await promisify(execFile)(process.execPath, [...(own.node ?? []), bin, 'agent', ...args], {
    env,
    cwd: dir,
  }).then(
    (out) => ({ code: 0, ...out }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  return { code: ran.code, out: ran.stdout.trim(), err: ran.stderr.trim() }
}
const path = () => join(dir, 'agents', 'productco.agent.json')
const file = async (): Promise<AgentFile> => JSON.parse(await readFile(path(), 'utf8'))
const edit = async (systemPrompt: string) => {
  const before = await file()
  await writeFile(path(), JSON.stringify({ ...before, config: { ...before.config, systemPrompt } }))
}

test('[S001-7] an agent is pulled, edited, compared, pushed as a draft and deployed from the command line', async () => {
  expect(await parley(['list'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^productco +sales_assistant +active +live 1$/),
  })
  expect(await parley(['pull'])).toMatchObject({ code: 0, out: 'agents/productco.agent.json: version 1' })
  expect(await file()).toMatchObject({ format: 'parley.agent', agent: { slug: 'productco' }, version: 1 })
  expect((await parley(['push'])).out).toBe('productco: unchanged')
  await edit('Sell more sofas.')
  const compared = await parley(['diff', 'productco'])
  expect(compared.out).toMatch(
    /^productco: draft → agents\/productco\.agent\.json\nsystemPrompt\n {2}- "You sell.*"\n {2}\+ "Sell more sofas\."$/,
  )
  expect((await parley(['push', 'productco', '--note', 'From the repository'])).out).toBe('productco: draft 2')
  expect((await file()).version).toBe(2)
  const prompt = async () => {
    const { tenants, agents } = gateway.app.slices
    const tenant = (await tenants.bySlug('productco'))!
    const agent = (await agents.of(tenant.id).bySlug('productco'))!
    const brief = await agents.resolve({ tenantId: tenant.id, agentId: agent.id, channel: 'widget' })
    return { said: brief?.instructions, agent }
  }
  expect((await prompt()).said).not.toContain('Sell more sofas.')
  expect((await parley(['diff', 'productco', '--live'])).out).toContain('+ "Sell more sofas."')
  expect((await parley(['deploy', 'productco', '--note', 'Spring'])).out).toBe('productco: version 2 is live')
  const { said, agent } = await prompt()
  expect(said).toContain('Sell more sofas.')
  expect(agent.deployments.at(-1)).toMatchObject({ version: 2, note: 'Spring', actor: { kind: 'key' } })
})

test('a push over a draft that was changed elsewhere is refused, and goes through when it is forced', async () => {
  await parley(['pull', 'productco'])
  const { tenants, agents } = gateway.app.slices
  const scope = agents.of((await tenants.bySlug('productco'))!.id)
  const agent = (await scope.bySlug('productco'))!
  await scope.saveDraft(agent.id, { ...agent.draft, systemPrompt: 'Changed in the console.' })
  await edit('Changed in the repository.')
  const refused = await parley(['push'])
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('Pull first, or push with --force.') })
  expect((await scope.byId(agent.id))?.draft.systemPrompt).toBe('Changed in the console.')
  expect((await parley(['push', '--force'])).code).toBe(0)
  expect((await scope.byId(agent.id))?.draft.systemPrompt).toBe('Changed in the repository.')
})

test('a key does what its scopes say: reading does not write, writing does not deploy', async () => {
  await edit('Not with this key.')
  expect(await parley(['push', '--force'], { key: keys.read })).toMatchObject({
    code: 1,
    err: expect.stringContaining('forbidden'),
  })
  expect((await parley(['push', '--force'], { key: keys.write })).code).toBe(0)
  expect(await parley(['deploy', 'productco'], { key: keys.write })).toMatchObject({
    code: 1,
    err: expect.stringContaining('forbidden'),
  })
  expect((await parley(['deploy', 'productco', '--percent', '10'])).out).toMatch(/is live for 10 % of the people/)
})

test('what cannot be done is said in one line, and how it is meant in the usage', async () => {
  expect(await parley(['pull', 'nobody'])).toMatchObject({ code: 1, err: 'There is no agent nobody.' })
  expect(await parley(['sing'])).toMatchObject({ code: 2, err: expect.stringMatching(/^Usage: parley agent/) })
  expect(await parley(['deploy', 'productco', '--percent', '0'])).toMatchObject({ code: 2 })
  expect(await parley(['list'], { key: 'af_live_wrong' })).toMatchObject({
    code: 1,
    err: expect.stringContaining('unauthenticated'),
  })
  expect((await parley(['list', '--url', 'http://127.0.0.1:9'])).err).toMatch(
    /^http:\/\/127\.0\.0\.1:9 cannot be reached: /,
  )
  await writeFile(path(), '{')
  expect((await parley(['push'])).err).toBe('agents/productco.agent.json is not JSON.')
})

test('a Node that strips no types hands over to the one that came with the packages', async () => {
  const ran = await parley(['list'], { node: ['--no-strip-types'] })
  expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('productco') })
})
