// A real LiveKit server for tests: the one of LIVEKIT_URL, or `livekit-server --dev` of this machine, or none and why.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

export interface LiveKitServer extends AsyncDisposable {
  readonly url: string
  readonly apiKey: string
  readonly apiSecret: string
  /** Kills it, as a crash would; `start` brings it back on the same ports. Undefined for a server that is not ours. */
  readonly process: { stop(): Promise<void>; start(): Promise<void> } | undefined
}

/** Undefined: there is one. */
export function whyNoLiveKit(): string | undefined {
  if ((process.env.LIVEKIT_URL ?? '') !== '') return undefined
  const tried = spawnSync('livekit-server', ['--version'], { timeout: 5_000, stdio: 'ignore' })
  return tried.error === undefined ? undefined : 'livekit-server is not on the PATH and LIVEKIT_URL is not set'
}

/** `webhooks`: only a server that is started here can be told where to send them. */
export async function startLiveKit(options: { readonly webhooks: string }): Promise<LiveKitServer> {
  const given = process.env.LIVEKIT_URL ?? ''
  if (given !== '') {
    const { LIVEKIT_API_KEY: apiKey = 'devkey', LIVEKIT_API_SECRET: apiSecret = 'secret' } = process.env
    return { url: given, apiKey, apiSecret, process: undefined, [Symbol.asyncDispose]: async () => undefined }
  }
  const [port, tcpPort, udpPort] = await Promise.all([freeTcpPort(), freeTcpPort(), freeUdpPort()])
  const apiKey = 'devkey'
  const apiSecret = 'a-secret-of-the-tests-that-is-long-enough'
  const config = {
    port,
    bind_addresses: ['127.0.0.1'],
    keys: { [apiKey]: apiSecret },
    // Names of public STUN servers would be looked up in vain.
    rtc: { tcp_port: tcpPort, udp_port: udpPort, node_ip: '127.0.0.1', stun_servers: ['127.0.0.1:9'] },
    webhook: { api_key: apiKey, urls: [options.webhooks] },
    logging: { level: 'error' },
  }
  const url = `ws://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }
  const start = async (): Promise<void> => {
    child = spawn('livekit-server', ['--dev', '--config-body', JSON.stringify(config)], { stdio: 'ignore' })
    await answers(url.replace('ws', 'http'))
  }
  await start()
  return { url, apiKey, apiSecret, process: { stop, start }, [Symbol.asyncDispose]: stop }
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const ok = await fetch(url, { signal: AbortSignal.timeout(500) }).then(
      (response) => response.ok,
      () => false,
    )
    if (ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('livekit-server did not answer within 10 s')
}

export async function freeTcpPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}
