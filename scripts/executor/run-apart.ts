// One call in a process of its own, from which nothing of the host can be reached.

import { spawn } from 'node:child_process'

export type Ran = { readonly result: unknown } | { readonly error: { readonly code: string; readonly message: string } }

export interface Apart {
  readonly tool: string
  readonly callId: string
  readonly handlerCode: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly timeoutMs: number
}

const outputBytes = 256 * 1024
const memoryMb = 64

/**
 * The first line of defence is Node's permission model: no files, children, threads, addons. The second is a context without
 * any of the host's objects and without code from strings: only JSON text goes in and out. The network, which the model does
 * not know in this version, is taken away before the code is seen.
 */
const inside = `
const shut = () => { throw new Error('there is no network here') }
for (const [name, methods] of [['net', ['connect', 'createConnection', 'createServer']], ['dgram', ['createSocket']], ['tls', ['connect', 'createServer']], ['dns', ['lookup', 'resolve', 'resolve4', 'resolve6']], ['http', ['request', 'get', 'createServer']], ['https', ['request', 'get']], ['http2', ['connect', 'createServer']]]) {
  const module = require(name)
  for (const method of methods) module[method] = shut
}
require('net').Socket.prototype.connect = shut
require('net').Server.prototype.listen = shut
require('dgram').Socket.prototype.bind = shut
for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest']) delete globalThis[name]
const { Script, createContext } = require('vm')
let text = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (part) => { text += part })
process.stdin.on('end', () => {
  const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } })
  let settled = false
  const say = (kind, value) => {
    if (settled) return
    settled = true
    process.stdout.write(kind + String(value))
  }
  const { handlerCode, given, known } = JSON.parse(text)
  const code = '(async () => { const args = JSON.parse(' + JSON.stringify(given) + '), context = JSON.parse(' + JSON.stringify(known) + ');'
    + ' const handler = async (args, context) => {' + handlerCode + '\\n};'
    + ' return JSON.stringify(await handler(args, context)) ?? "null" })()'
    + '.then((value) => "r" + value, (error) => "e" + String(error && error.message || error).slice(0, 500))'
  let promise
  try { promise = new Script(code, { filename: 'handler.js' }).runInContext(context) } catch (error) { return say('e', error && error.message) }
  promise.then((value) => say('', value))
})
`

/** Never rejects. Its process is gone when it resolves. */
export function runApart(call: Apart): Promise<Ran> {
  const flags = ['--permission', '--disallow-code-generation-from-strings', `--max-old-space-size=${memoryMb}`]
  const child = spawn(process.execPath, [...flags, '--no-warnings', '--eval', inside], {
    env: {},
    cwd: '/',
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return new Promise((resolve) => {
    let output = ''
    let why: Ran | undefined
    const stop = (code: string, message: string): void => {
      why ??= { error: { code, message } }
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => stop('timeout', 'The handler took too long.'), Math.min(call.timeoutMs, 60_000))
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      output += part
      if (output.length > outputBytes) stop('too_large', 'The handler returned too much.')
    })
    child.on('error', () => stop('failed', 'The handler could not be started.'))
    child.on('close', () => {
      clearTimeout(timer)
      resolve(why ?? ranOf(output))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(
      JSON.stringify({
        handlerCode: call.handlerCode,
        given: JSON.stringify(call.arguments),
        known: JSON.stringify({ tool: call.tool, callId: call.callId }),
      }),
    )
  })
}

function ranOf(output: string): Ran {
  const text = output.slice(1)
  if (output.startsWith('e')) return { error: { code: 'threw', message: text.slice(0, 500) } }
  try {
    if (output.startsWith('r')) return { result: JSON.parse(text) }
  } catch {
    // Told below.
  }
  return {
    error: { code: 'failed', message: 'The handler ended without a result: too much memory, or it never settled.' },
  }
}
