// Twenty callers at once, each in a network that loses one packet in twenty: every answer is heard.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type PeerPlan, type PeerReport, report } from '../harness/peer-plan.ts'
import { startScriptedRealtime } from '../harness/scripted-realtime.ts'
import { speechPcm } from '../harness/speech.ts'
import { startGateway } from '../harness/start-gateway.ts'

const processes = 2
const peersEach = 10
const rounds = 2
const answerMs = 4_000
const loss = 0.05

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)
}

async function peersOf(given: PeerPlan): Promise<readonly PeerReport[]> {
  const child = fork(join(import.meta.dirname, '../harness/peer-process.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 160_000)
  try {
    child.send(given)
    const [message] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) =>
        Promise.reject(new Error(`the callers’ process ended with ${signal ?? code}`)),
      ),
    ])
    return report.parse(message).peers
  } finally {
    clearTimeout(timer)
    if (child.exitCode === null) child.kill()
  }
}

/** Forty peers with their codecs want two cores: beside so much other work every one of them would starve. */
const busy = (loadavg()[0] ?? 0) / availableParallelism() > 6
if (busy) process.stdout.write(`not run: 20 peers at once (the machine is busy: load ${loadavg()[0]?.toFixed(1)})\n`)

test.skipIf(busy)('20 peers with 5 % packet loss each hold a conversation', { timeout: 200_000 }, async () => {
  const provider = await startScriptedRealtime({ apiKey: 'sk-test', pace: 4 })
  provider.on(/./, { say: 'We deliver on weekdays, and the driver calls before he comes.', audioMs: answerMs })
  const folder = await mkdtemp(join(tmpdir(), 'parley-load-'))
  const question = join(folder, 'question.pcm')
  await writeFile(question, await speechPcm('How does the delivery work?'))
  const gateway = await startGateway({ OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: provider.baseUrl })
  const before = process.cpuUsage()
  const startedMs = performance.now()
  try {
    const peers = (
      await Promise.all(
        Array.from({ length: processes }, (_, i) =>
          peersOf({
            url: gateway.url,
            token: gateway.apiKey,
            peers: peersEach,
            rounds,
            loss,
            seed: 1 + i * peersEach,
            question,
          }),
        ),
      )
    ).flat()
    const seconds = (performance.now() - startedMs) / 1000
    const cpu = process.cpuUsage(before)
    const first = peers.flatMap(({ firstSoundMs }) => firstSoundMs)
    const gaps = peers.flatMap(({ gapsMs }) => gapsMs.flat())
    const heard = peers.flatMap(({ heardMs }) => heardMs)
    const [lost, passed] = [
      peers.reduce((sum, each) => sum + each.lost, 0),
      peers.reduce((sum, each) => sum + each.passed, 0),
    ]
    const lines = [
      `${peers.length} peers, ${rounds} rounds, ${seconds.toFixed(0)} s, load ${loadavg()[0]?.toFixed(1)}; gateway and provider ${(((cpu.user + cpu.system) / 1e6 / seconds) * 100).toFixed(0)} % of a core`,
      `packets: ${passed + lost}, ${((100 * lost) / (passed + lost)).toFixed(1)} % lost`,
      `answers heard: ${first.length} of ${peers.length * rounds}, ${quantile(heard, 0.5)} ms of ${answerMs} ms each (least ${Math.min(...heard)})`,
      `connect p50/p95: ${quantile(
        peers.map(({ connectMs }) => connectMs),
        0.5,
      )} / ${quantile(
        peers.map(({ connectMs }) => connectMs),
        0.95,
      )} ms`,
      `end of speech to first sound p50/p95: ${quantile(first, 0.5)} / ${quantile(first, 0.95)} ms (500 ms of it the provider's silence)`,
      `gaps of 30 ms and more: ${gaps.length} in ${Math.round(heard.reduce((a, b) => a + b, 0) / 1000)} s, longest ${Math.max(0, ...gaps)} ms`,
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
    expect(peers.flatMap(({ error }) => error ?? [])).toEqual([])
    expect(peers).toHaveLength(processes * peersEach)
    expect(first).toHaveLength(peers.length * rounds)
    // A relay that loses nothing would prove nothing.
    expect(lost / (lost + passed)).toBeGreaterThan(0.03)
    for (const ms of heard) expect(ms).toBeGreaterThan(0.7 * answerMs)
    await expect.poll(() => gateway.app.slices.sessions.liveCount, { timeout: 40_000 }).toBe(0)
  } finally {
    await gateway[Symbol.asyncDispose]()
    await provider.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
