import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startToolExecutor, type ToolExecutor } from '../../../scripts/executor/server.ts'
import { authAs } from '../../../test/harness/auth.ts'
import { systemClock } from '../../platform/clock.ts'
import { asTenantId } from '../../platform/ids.ts'
import { EffectUnknown, type ToolContext } from '../tool.ts'
import { createCodeExecutor, signed } from './code.ts'

const tenantId = asTenantId('ten_a')
const secret = 'shared-by-both-of-them'
let executor: ToolExecutor
let canaryPort: number
let reached = 0
const canary = createServer((_request, response) => {
  reached += 1
  response.end()
})

beforeAll(async () => {
  executor = await startToolExecutor({ secret, port: 0, host: '127.0.0.1' })
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  const address = canary.address()
  canaryPort = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(async () => {
  await executor[Symbol.asyncDispose]()
  canary.close()
})

const context: ToolContext = {
  ...{ tenantId, sessionId: 'sess_1', callId: 'call_1', agent: { id: 'agt', name: 'Agent' }, key: 'k'.repeat(64) },
  auth: async () => authAs(tenantId),
  signal: AbortSignal.timeout(30_000),
}

function run(
  handlerCode: string,
  args: object = {},
  more: { url?: string; secret?: string; timeoutMs?: number; readOnly?: boolean } = {},
) {
  const code = createCodeExecutor({
    executor: { url: more.url ?? executor.url, secret: more.secret ?? secret },
    clock: systemClock,
  })
  const { timeoutMs = 20_000, readOnly = false } = more
  return code.run({ name: 'x', spec: { handlerCode }, parameters: {}, timeoutMs, readOnly }, { ...args }, context)
}

/** Where somebody listened and nobody does any more. */
async function closedAddress(): Promise<string> {
  const gone = await startToolExecutor({ secret, port: 0, host: '127.0.0.1' })
  await gone[Symbol.asyncDispose]()
  return gone.url
}

describe('[S001-32] code of a tenant’s own', { timeout: 60_000 }, () => {
  test('gets its arguments and gives its result', async () => {
    expect(await run('return { sum: args.a + args.b, tool: context.tool }', { a: 1, b: 2 })).toEqual({
      sum: 3,
      tool: 'x',
    })
    expect(await run('return [1, 2]')).toEqual({ count: 2, items: [1, 2] })
    expect(await run('await null; return "text"')).toEqual({ value: 'text' })
    expect(await run('return')).toEqual({ value: null })
  })

  test('that throws, returns too much or never ends is told so', async () => {
    expect(await run('throw new Error("no such order")')).toEqual({
      error: { code: 'handler_threw', message: 'no such order' },
    })
    expect(await run('return "x".repeat(500_000)')).toMatchObject({ error: { code: 'handler_too_large' } })
    expect(await run('while (true) {}', {}, { timeoutMs: 2_000 })).toMatchObject({ error: { code: 'handler_timeout' } })
    expect(await run('await new Promise(() => {})')).toMatchObject({ error: { code: 'handler_failed' } })
    expect(await run('const all = []; while (true) all.push(new Array(1000).fill(7))')).toMatchObject({
      error: { code: 'handler_failed' },
    })
  })

  test.each([
    ['the environment', 'return process.env'],
    ['modules', 'return require("fs").readFileSync("/etc/passwd", "utf8")'],
    ['imported modules', 'return (await import("node:fs")).readFileSync("/etc/passwd", "utf8")'],
    ['files behind the constructor', 'return this.constructor.constructor("return process")().env'],
    ['files behind a function', 'return (async () => {}).constructor("return process")()'],
    [
      'an outer function',
      'Promise.prototype.then = function (f) { return f.constructor("return process")() }; return 1',
    ],
    ['an outer wrapper', '}; const p = globalThis.process; return p.env; ({'],
    ['the network', 'return await (await fetch(URL_OF_CANARY)).text()'],
    ['timers and the console', 'console.log("x"); setTimeout(() => {}, 1); return 1'],
    ['WebAssembly', 'return new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))'],
  ])('does not reach %s', async (_name, code) => {
    const said = await run(code.replace('URL_OF_CANARY', JSON.stringify(`http://127.0.0.1:${canaryPort}/`)))
    expect(said).toMatchObject({ error: { code: expect.stringMatching(/^handler_(threw|failed)$/) } })
    expect(JSON.stringify(said)).not.toMatch(/root:|PATH|HOME/)
    expect(reached).toBe(0)
  })
})

describe('[S001-32] the secret', { timeout: 60_000 }, () => {
  const ask = (headers: Record<string, string>, body: string) =>
    fetch(executor.url, { method: 'POST', headers, body }).then(
      async (response) => [response.status, await response.text()] as const,
    )
  const body = JSON.stringify({ tool: 'x', callId: 'c', handlerCode: 'return 1', arguments: {}, timeoutMs: 5_000 })

  test('is checked: an unsigned, wrongly signed, changed or old request runs nothing', async () => {
    const right = signed(secret, { id: 'c', body, nowMs: Date.now() })
    expect(await ask(right, body)).toEqual([200, '{"result":1}'])
    const attempts: [Record<string, string>, string][] = [
      [{}, body],
      [signed('another-secret-of-some', { id: 'c', body, nowMs: Date.now() }), body],
      [right, body.replace('return 1', 'return 2')],
      [{ ...right, 'webhook-id': 'd' }, body],
      [signed(secret, { id: 'c', body, nowMs: Date.now() - 600_000 }), body],
    ]
    for (const [headers, text] of attempts) expect((await ask(headers, text))[0]).toBe(401)
    await expect(run('return 1', {}, { secret: 'not-the-one-they-share' })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})

describe('[S001-32] a descriptor of code', () => {
  const check = (
    handlerCode: unknown,
    executorOf: { url: string; secret: string } | undefined = { url: executor.url, secret },
  ) =>
    (async () =>
      createCodeExecutor({ executor: executorOf, clock: systemClock }).check({ handlerCode }, tenantId, {}))()

  test('is refused when it is no JavaScript, and where there is no executor', async () => {
    expect(await check('return await args.x')).toEqual({ handlerCode: 'return await args.x' })
    for (const wrong of ['return (', '', 7, 'x'.repeat(40_000), 'import x from "y"'])
      await expect(check(wrong)).rejects.toMatchObject({ code: 'invalid' })
    const none = createCodeExecutor({ executor: undefined, clock: systemClock })
    await expect((async () => none.check({ handlerCode: 'return 1' }, tenantId, {}))()).rejects.toMatchObject({
      code: 'unsupported',
    })
    await expect(
      none.run({ name: 'x', spec: { handlerCode: 'return 1' }, parameters: {} }, {}, context),
    ).rejects.toMatchObject({ code: 'unsupported' })
  })

  test('whose executor is gone, or goes while it runs, is told as not done or as unknown', async () => {
    await expect(run('return 1', {}, { url: await closedAddress() })).rejects.toMatchObject({ code: 'unavailable' })
    const dying = createServer((request) => request.socket.destroy())
    await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve))
    const address = dying.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
    await expect(run('return 1', {}, { url })).rejects.toBeInstanceOf(EffectUnknown)
    await expect(run('return 1', {}, { url, readOnly: true })).rejects.toMatchObject({ code: 'unavailable' })
    dying.close()
  })
})
