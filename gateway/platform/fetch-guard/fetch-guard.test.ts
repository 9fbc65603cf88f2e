import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTcp, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type NameServer, startNameServer } from '../../../test/harness/name-server.ts'
import { asTenantId } from '../ids.ts'
import { parseAllow } from './allow.ts'
import { attacks } from './corpus.test-support.ts'
import { createFetchGuard, depthOf, type FetchGuardDeps } from './fetch-guard.ts'
import { createResolve } from './resolve.ts'

const tenantId = asTenantId('ten_a')
let opened: (() => Promise<unknown> | unknown)[] = []
let names: NameServer

beforeEach(async () => {
  names = await startNameServer()
})
afterEach(async () => {
  for (const close of opened.reverse()) await close()
  opened = []
  await names[Symbol.asyncDispose]()
})

function guardOf(allow = '', more: Partial<FetchGuardDeps> = {}) {
  const own = () => ({ hosts: ['talk.example.com:443', 'talk.example.com:8443'], port: 8787 })
  const deps = {
    resolve: createResolve([names.address]),
    allow: parseAllow(allow),
    own,
    mark: 'mark',
    log: pino({ level: 'silent' }),
  }
  return createFetchGuard({ ...deps, ...more })
}

/** A server on loopback that nobody may reach; counts connections, not requests. */
async function canary(port: number): Promise<{ readonly reached: () => number }> {
  let count = 0
  const server = createTcp((socket) => {
    count += 1
    socket.destroy()
  })
  await listening(server, port)
  return { reached: () => count }
}

async function listening(server: Server, port = 0): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => void sockets.add(socket))
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(port, '127.0.0.1', resolve))
  opened.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function serve(listener: RequestListener): Promise<{ port: number; host: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    listener(request, response)
  })
  const port = await listening(server)
  return { port, host: `127.0.0.1:${port}`, seen }
}

describe('addresses', () => {
  test('[SSRF-01 … SSRF-11] every address of the corpus is refused when it is saved and when it is asked, and no socket opens', async () => {
    const trap = await canary(8443)
    const guard = guardOf()
    const passed: string[] = []
    for (const { id, url, answers } of attacks) {
      const host = URL.parse(url)?.hostname
      if (answers !== undefined && host !== undefined) names.answer(host, ...answers)
      for (const attempt of [() => guard.check(url), () => guard.fetch(url, {}, { tenantId })]) {
        const outcome = await attempt().then(
          () => 'let through',
          (error) => error.code,
        )
        if (outcome !== 'address_refused') passed.push(`${id} ${url} ${outcome}`)
      }
    }
    expect(attacks.length).toBeGreaterThan(250)
    expect(passed).toEqual([])
    expect(trap.reached()).toBe(0)
  })

  test.each([
    'https://api.example.com/v1',
    'https://api.example.com:8443/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://[64:ff9b::808:808]/',
  ])('%s may be saved', async (url) => {
    names.answer('api.example.com', ['93.184.216.34', '2606:2800:220:1::1'])
    await expect(guardOf().check(url)).resolves.toBeInstanceOf(URL)
  })

  test('[SSRF-06] a name that was public when it was saved and loopback when it is asked is refused; nothing is reached', async () => {
    const trap = await canary(8443)
    names.answer('rebind.example.com', ['93.184.216.34'], ['127.0.0.1'])
    const guard = guardOf()
    await guard.check('https://rebind.example.com:8443/')
    const asked = guard.fetch('https://rebind.example.com:8443/', {}, { tenantId })
    await expect(asked).rejects.toMatchObject({ code: 'address_refused', sent: false })
    expect(trap.reached()).toBe(0)
  })

  test('[SSRF-06] within one request the name is asked once, and the socket goes to what was checked', async () => {
    const trap = await canary(8443)
    // Of a block that nobody routes any more: what was checked, and where nobody answers.
    names.answer('rebind.example.com', ['3ffe::1'], ['127.0.0.1'])
    const limits = { totalMs: 1_000 }
    const asked = guardOf().fetch('https://rebind.example.com:8443/', {}, { tenantId, limits })
    await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/unreachable|timeout/), sent: false })
    expect(names.asked).toEqual(['A rebind.example.com', 'AAAA rebind.example.com'])
    expect(trap.reached()).toBe(0)
  })

  test('a name without an address, or of a silent name server, is told as unreachable', async () => {
    names.ignore('silent.example.com')
    const guard = guardOf()
    const ask = (host: string) => guard.fetch(`https://${host}/`, {}, { tenantId, limits: { totalMs: 300 } })
    await expect(ask('missing.example.com')).rejects.toMatchObject({ code: 'unreachable', sent: false })
    await expect(ask('silent.example.com')).rejects.toMatchObject({ code: 'timeout', sent: false })
  })

  test('what the operator allows may be asked over http, and nothing beside it', async () => {
    const { host, port } = await serve((_request, response) => response.end('yes'))
    const outcome = (allow: string, url = `http://${host}/`) =>
      guardOf(allow)
        .fetch(url, {}, { tenantId })
        .then(
          (response) => response.text(),
          (error) => error.code,
        )
    names.answer('tools.example.com', ['127.0.0.1'])
    expect(await outcome(host)).toBe('yes')
    expect(await outcome('127.0.0.0/8')).toBe('yes')
    expect(await outcome('127.0.0.1')).toBe('yes')
    expect(await outcome('127.0.0.0/8', `http://tools.example.com:${port}/`)).toBe('yes')
    expect(await outcome(`localhost:${port}`, `http://localhost:${port}/`)).toBe('yes')
    expect(await outcome(`127.0.0.1:${port + 1}`)).toBe('address_refused')
    expect(await outcome('127.0.0.2/32')).toBe('address_refused')
    expect(await outcome('10.0.0.0/8', 'http://api.example.com/')).not.toBe('yes')
    names.answer('api.example.com', ['93.184.216.34'])
    expect(await outcome('10.0.0.0/8', 'http://api.example.com/')).toBe('address_refused')
    expect(await outcome('169.254.0.0/16', 'http://169.254.169.254/')).toBe('address_refused')
    expect(() => parseAllow('10.0.0.0/99')).toThrow('10.0.0.0/99')
    expect(() => parseAllow('http://x/y')).toThrow('http://x/y')
  })

  test('[SSRF-11] the gateway’s own port on this machine is refused although the operator allows loopback', async () => {
    const guard = guardOf('127.0.0.0/8, localhost')
    for (const host of ['127.0.0.1', 'localhost', '127.0.0.9'])
      await expect(guard.check(`http://${host}:8787/`)).rejects.toMatchObject({ code: 'address_refused' })
  })
})

describe('redirects', () => {
  const to =
    (location: string, status = 302): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { location }).end()

  test.each([
    ['to a private address', 'http://10.0.0.1/'],
    ['to the metadata address', 'http://169.254.169.254/latest/meta-data/'],
    ['to another port of loopback', 'http://127.0.0.1:1/'],
    ['to a file', 'file:///etc/passwd'],
    ['to no address', 'http://'],
  ])('[SSRF-08] %s are refused', async (_name, location) => {
    const { host } = await serve(to(location))
    const asked = guardOf(host).fetch(`http://${host}/`, {}, { tenantId })
    await expect(asked).rejects.toMatchObject({ code: 'address_refused', sent: true })
  })

  test('[SSRF-08] to another scheme are refused, also where the operator allows the host', async () => {
    const { host } = await serve((request, response) =>
      response.writeHead(302, { location: `https://${request.headers.host}/` }).end(),
    )
    const asked = guardOf('127.0.0.1').fetch(`http://${host}/`, {}, { tenantId })
    await expect(asked).rejects.toMatchObject({ code: 'address_refused' })
  })

  test('[SSRF-08] three are followed, the fourth is not', async () => {
    const { host, seen } = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left === 0) response.end('there')
      else response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    const guard = guardOf(host)
    const there = await guard.fetch(`http://${host}/3`, {}, { tenantId })
    expect([await there.text(), there.url]).toEqual(['there', `http://${host}/0`])
    seen.length = 0
    await expect(guard.fetch(`http://${host}/6`, {}, { tenantId })).rejects.toMatchObject({ code: 'address_refused' })
    expect(seen.length).toBe(4)
  })

  test('[SSRF-08] credentials stay with the origin that they are for', async () => {
    const other = await serve((_request, response) => response.end())
    const { host, seen } = await serve((request, response) => {
      if (request.url === '/same') response.writeHead(307, { location: '/other' }).end()
      else response.writeHead(307, { location: `http://${other.host}/` }).end()
    })
    const headers = { authorization: 'Bearer s3cret', cookie: 'a=b', 'x-api-key': 's3cret', accept: 'application/json' }
    const init = { method: 'POST', headers, body: 'x' }
    await guardOf(`${host}, ${other.host}`).fetch(`http://${host}/same`, init, { tenantId })
    expect(seen[1]?.headers).toMatchObject(headers)
    expect(other.seen[0]).toMatchObject({ method: 'POST', headers: { accept: 'application/json' } })
    expect(JSON.stringify(other.seen[0]?.rawHeaders)).not.toMatch(/s3cret|cookie/)
  })

  test('a POST that is redirected becomes a GET, unless by 307; `manual` and `error` are as in fetch', async () => {
    const { host, seen } = await serve((request, response) =>
      request.url === '/' ? response.writeHead(303, { location: '/next' }).end() : response.end(),
    )
    const guard = guardOf(host)
    const ask = (redirect?: 'manual' | 'error') =>
      guard.fetch(`http://${host}/`, { method: 'POST', body: '{}', ...(redirect && { redirect }) }, { tenantId })
    expect((await ask()).status).toBe(200)
    expect(seen[1]).toMatchObject({ method: 'GET', url: '/next' })
    expect(seen[1]?.headers['content-type']).toBeUndefined()
    expect((await ask('manual')).status).toBe(303)
    await expect(ask('error')).rejects.toMatchObject({ code: 'address_refused' })
  })
})

describe('caps', () => {
  const bombs = [gzipSync(Buffer.alloc(40_000_000)), gzipSync(gzipSync(Buffer.alloc(40_000_000)))]
  const limits = { maxBytes: 64 * 1024, totalMs: 400 }
  async function outcome(listener: RequestListener): Promise<unknown> {
    const { host } = await serve(listener)
    const guard = guardOf(host)
    const read = async () => (await guard.fetch(`http://${host}/`, {}, { tenantId, limits })).text()
    return read().then(
      (text) => text.length,
      (error) => [error.code, error.sent],
    )
  }
  const drip = (response: Parameters<RequestListener>[1], text: string) => {
    const timer = setInterval(() => response.write(text), 20)
    response.on('close', () => clearInterval(timer))
  }

  test('[SSRF-13] a body within the cap is read whole', async () => {
    expect(await outcome((_request, response) => response.end('x'.repeat(limits.maxBytes)))).toBe(limits.maxBytes)
  })

  test.each<[string, string, RequestListener]>([
    ['a body of 10 MB', 'too_large', (_request, response) => response.end('x'.repeat(10_000_000))],
    [
      'a body of 10 MB that does not say so',
      'too_large',
      (_request, response) => {
        response.write('x'.repeat(5_000_000))
        response.end('x'.repeat(5_000_000))
      },
    ],
    [
      'a gzip bomb',
      'too_large',
      (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bombs[0]),
    ],
    [
      'a bomb within a bomb',
      'too_large',
      (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(bombs[1]),
    ],
    [
      'headers of 1 MB',
      'too_large',
      (_request, response) => {
        response.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(1_000_000)}\r\n\r\n`)
      },
    ],
    [
      'a million headers',
      'too_large',
      (_request, response) => {
        response.socket?.end(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(200_000)}\r\n`)
      },
    ],
    ['one byte at a time', 'timeout', (_request, response) => drip(response, 'x')],
    ['no answer at all', 'timeout', () => undefined],
    [
      'a stream of events that never ends',
      'timeout',
      (_request, response) => drip(response.writeHead(200, { 'content-type': 'text/event-stream' }), 'data: x\n\n'),
    ],
    [
      'headers one byte at a time',
      'timeout',
      (_request, response) => {
        response.socket?.write('HTTP/1.1 200 OK\r\nx: ')
        drip(response.socket as never, 'x')
      },
    ],
    ['a connection that is cut', 'unreachable', (request) => request.socket.destroy()],
    [
      'a body that is cut',
      'unreachable',
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('x')
        setTimeout(() => request.socket.destroy(), 20)
      },
    ],
    [
      'something that is not HTTP',
      'unreachable',
      (_request, response) => void response.socket?.end('SSH-2.0-x\r\n\r\n'),
    ],
  ])('[SSRF-13] %s is cut: %s', async (_name, code, listener) => {
    expect(await outcome(listener)).toEqual([code, true])
  })

  test('an answer that nobody reads gives its place back at the deadline', async () => {
    const { host } = await serve((_request, response) => response.end('x'.repeat(1_000)))
    const guard = guardOf(host, { limits: { atOnce: 1, queued: 1 } })
    await guard.fetch(`http://${host}/`, {}, { tenantId, limits: { totalMs: 100 } })
    const next = await guard.fetch(`http://${host}/`, {}, { tenantId })
    expect((await next.text()).length).toBe(1_000)
  })
})

describe('one tenant’s requests', () => {
  test('are so many at once, a few more wait, the rest are refused; other tenants and lanes are not in their way', async () => {
    let most = 0
    let now = 0
    const release = Promise.withResolvers<void>()
    const { host } = await serve(async (_request, response) => {
      now += 1
      most = Math.max(most, now)
      await release.promise
      now -= 1
      response.end('ok')
    })
    const guard = guardOf(host, { limits: { atOnce: 2, queued: 3 } })
    const ask = async (caller: Parameters<typeof guard.fetch>[2]) =>
      (await guard.fetch(`http://${host}/`, {}, caller)).text()
    const all = Array.from({ length: 8 }, () => ask({ tenantId }).catch((error) => error.code))
    expect(await Promise.all(all.slice(5))).toEqual(['too_many', 'too_many', 'too_many'])
    await expect.poll(() => now).toBe(2)
    const others = [ask({ tenantId: asTenantId('ten_b') }), ask({ tenantId, lane: 'streams' })]
    await expect.poll(() => now).toBe(4)
    release.resolve()
    expect(await Promise.all([...all.slice(0, 5), ...others])).toEqual(Array(7).fill('ok'))
    expect(most).toBe(4)
  })

  test('that are given up while they wait leave the queue', async () => {
    const { host } = await serve(() => undefined)
    const guard = guardOf(host, { limits: { atOnce: 1, queued: 1, totalMs: 500 } })
    const first = guard.fetch(`http://${host}/`, {}, { tenantId })
    const stop = new AbortController()
    const waiting = guard.fetch(`http://${host}/`, { signal: stop.signal }, { tenantId })
    // It must be in the queue by then.
    await new Promise((resolve) => setTimeout(resolve, 50))
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    const next = guard.fetch(`http://${host}/`, {}, { tenantId })
    await expect(first).rejects.toMatchObject({ code: 'timeout', sent: true })
    await expect(next).rejects.toMatchObject({ code: 'timeout' })
  })
})

describe('a request', () => {
  test('carries what was asked and how deep it is, and nothing of the connection’s own', async () => {
    const bodies: string[] = []
    const { host, seen } = await serve(async (request, response) => {
      bodies.push(Buffer.concat(await request.toArray()).toString())
      response.setHeader('set-cookie', ['a=1', 'b=2']).end('{}')
    })
    const fetch = guardOf(host).as({ tenantId, depth: 1 })
    const headers = {
      host: 'internal.example.com',
      'parley-depth': '0',
      connection: 'upgrade',
      upgrade: 'h2c',
      'x-a': 'b',
    }
    const answer = await fetch(`http://${host}/p?q=1`, {
      method: 'put',
      headers,
      body: new URLSearchParams({ a: 'ü' }),
    })
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await answer.json()).toEqual({})
    expect(seen[0]).toMatchObject({ method: 'PUT', url: '/p?q=1' })
    expect(seen[0]?.headers).toMatchObject({ host, 'parley-depth': '2', 'x-a': 'b', 'user-agent': 'Parley' })
    expect(seen[0]?.headers.upgrade).toBeUndefined()
    expect(seen[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/)
    expect(bodies).toEqual(['a=%C3%BC'])
    const form = new FormData()
    form.set('a', 'b')
    await fetch(`http://${host}/`, { method: 'POST', body: form })
    expect(bodies[1]).toContain('form-data; name="a"')
  })

  test('unpacks what comes packed, and streams what comes slowly', async () => {
    const { host } = await serve((request, response) => {
      if (request.url === '/packed')
        return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}'))
      response.write('data: 1\n\n')
      setTimeout(() => response.end('data: 2\n\n'), 100)
    })
    const fetch = guardOf(host).as({ tenantId })
    const packed = await fetch(`http://${host}/packed`)
    expect([packed.headers.get('content-encoding'), await packed.json()]).toEqual([null, { a: 1 }])
    const parts: string[] = []
    const { body } = await fetch(`http://${host}/events`)
    for await (const part of body ?? []) parts.push(Buffer.from(part).toString())
    expect(parts).toEqual(['data: 1\n\n', 'data: 2\n\n'])
    expect((await fetch(`http://${host}/packed`, { method: 'HEAD' })).body).toBeNull()
  })

  test('[DOS-03] that comes through two gateways already goes no further', async () => {
    const { host, seen } = await serve((_request, response) => response.end())
    const asked = guardOf(host).fetch(`http://${host}/`, {}, { tenantId, depth: 2 })
    await expect(asked).rejects.toMatchObject({ code: 'address_refused' })
    expect(seen).toEqual([])
    const arrived = (from: string) => (name: string) => (name === 'parley-from' ? from : undefined)
    expect([arrived('mark'), arrived('other')].map(guardOf().isOwn)).toEqual([true, false])
    expect([{}, { 'parley-depth': '1' }, { 'parley-depth': 'x' }].map(depthOf)).toEqual([0, 1, 2])
  })

  test('that fails is logged with its host, never with its path', async () => {
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
    await guardOf('', { log })
      .fetch('https://10.0.0.1/s3cret?s3cret', {}, { tenantId })
      .catch(() => undefined)
    expect(lines.join()).toContain('10.0.0.1')
    expect(lines.join()).not.toContain('s3cret')
  })
})
