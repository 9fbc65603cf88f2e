// Some callers in a process of their own: each holds a conversation through a network that loses packets.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerClient, Refused } from './peer.ts'
import { type PeerPlan, type PeerReport, plan } from './peer-plan.ts'
import { UdpRelay } from './udp-relay.ts'

/** Shorter ones are what a codec makes of a lost packet. */
const gapMs = 30
const frameMs = 10

async function talk(given: PeerPlan, question: Buffer, seed: number): Promise<PeerReport> {
  const relay = await UdpRelay.start({ loss: given.loss, seed })
  const own: PeerReport = { connectMs: 0, firstSoundMs: [], heardMs: [], gapsMs: [], lost: 0, passed: 0 }
  let peer: PeerClient | undefined
  try {
    const startedMs = performance.now()
    peer = await patiently(() =>
      PeerClient.call({ url: given.url, token: given.token, query: '?model=productco', way: relay, saves: true }),
    )
    await peer.event('session.created')
    own.connectMs = performance.now() - startedMs
    for (let round = 0; round < given.rounds; round++) await oneRound(peer, question, { own, round })
  } catch (error) {
    own.error = String(error)
  } finally {
    Object.assign(own, { lost: relay.lost, passed: relay.passed })
    peer?.close()
    // Its goodbye has to get through.
    await sleep(300)
    await relay[Symbol.asyncDispose]()
  }
  return own
}

/** As the gateway asks: a machine that is busy with others refuses for a while. */
async function patiently(call: () => Promise<PeerClient>): Promise<PeerClient> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 503 || tries === 5) throw error
      await sleep(8_000)
    }
  }
}

async function oneRound(peer: PeerClient, question: Buffer, to: { own: PeerReport; round: number }): Promise<void> {
  const { own, round } = to
  await peer.say(question)
  const saidMs = performance.now()
  let firstMs: number | undefined
  let quietMs = 0
  let heardMs = 0
  const gaps: number[] = []
  peer.onFrame = (isLoud) => {
    if (!isLoud) {
      quietMs += frameMs
      return
    }
    if (firstMs !== undefined && quietMs >= gapMs) gaps.push(quietMs)
    firstMs ??= performance.now()
    quietMs = 0
    heardMs += frameMs
  }
  await peer.event('output_audio_buffer.stopped', round + 1, 60_000)
  await sleep(300)
  peer.onFrame = undefined
  if (firstMs === undefined) throw new Error(`answer ${round + 1} was not heard`)
  own.firstSoundMs.push(firstMs - saidMs)
  own.heardMs.push(heardMs)
  own.gapsMs.push(gaps)
}

async function run(given: PeerPlan): Promise<void> {
  const question = await readFile(given.question)
  const peers = await Promise.all(
    Array.from({ length: given.peers }, async (_, i) => {
      await sleep(i * 500)
      return talk(given, question, given.seed + i)
    }),
  )
  process.send?.({ peers }, () => process.exit(0))
}

process.once('message', (message) => void run(plan.parse(message)))
