// Each stock client as a program of its own against a gateway that is one too, whatever engine is behind it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { runProgram, type Spawned, spawnGateway } from '../harness/spawn-gateway.ts'
import { newApiKey } from '../harness/start-gateway.ts'
import { startTlsFront, type TlsFront } from '../harness/tls-front.ts'
import { behind, engines } from './place.ts'

const steps = ['text', 'talk', 'tool', 'interrupt', 'text again', 'end']
const sofa = 'The Alba sofa has two seats, washable covers, solid beech legs, and it costs less than four hundred.'

describe.each(engines)('a gateway with %s', (engine) => {
  let dir: string
  let gateway: Spawned
  let front: TlsFront
  let stop: () => Promise<void>
  const apiKey = newApiKey()

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-clients-'))
    const provided = await behind(engine, await startScriptedRealtime())
    stop = provided.stop
    provided.model
      .on(/red sofa/, { say: sofa, pace: 3 })
      .on(/weather in Oslo/, { call: { name: 'get_weather', arguments: { city: 'Oslo' } } })
      .on(/drizzle/, { say: 'A drizzle at 11 degrees.' })
      .hears(...Array.from({ length: 3 }, () => 'Do you have a red sofa?'))
    const own = { PARLEY_DATA_DIR: dir, PARLEY_DEMO_API_KEY: apiKey, PARLEY_ENGINE: engine }
    gateway = await spawnGateway({ ...provided.env, ...own })
    front = await startTlsFront(Number(new URL(gateway.url).port))
    await writeFile(join(dir, 'ca.pem'), front.certificate)
  }, 60_000)
  afterAll(async () => {
    await front[Symbol.asyncDispose]()
    expect(await gateway.stop()).toBe(0)
    await stop()
    await rm(dir, { recursive: true, force: true })
  })

  test.each(['openai', 'agents-realtime', 'ai-sdk'])(
    'is talked to by the script %s',
    async (script) => {
      const file = join(import.meta.dirname, 'scripts', `${script}.ts`)
      const args = [`https://127.0.0.1:${front.port}`, apiKey, 'productco']
      const { code, output } = await runProgram(file, args, { NODE_EXTRA_CA_CERTS: join(dir, 'ca.pem') })
      expect(
        output
          .split('\n')
          .flatMap((line) => /^ok \S+ ([a-z ]+)/.exec(line)?.[1] ?? line)
          .filter(Boolean),
      ).toEqual(steps)
      expect(code).toBe(0)
    },
    90_000,
  )
})
