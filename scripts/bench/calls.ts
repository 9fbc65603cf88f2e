// What the bench asks of its processes and what they answer, and the processes' side of the pipe.

import { z } from 'zod'
import { percentiles } from './samples.ts'

/** Only what is stamped and arrives in the window counts as measured; everything counts for loss. µs, CLOCK_MONOTONIC. */
export const measured = z.object({ fromUs: z.number(), toUs: z.number() })
export type Window = z.output<typeof measured>

export const nothing = z.object({})

export const ready = z.object({ url: z.string(), keys: z.array(z.string()) })
export type Ready = z.output<typeof ready>

/** `mainUs`: of the thread that relays; the rest is worker threads (the embedded store) and the runtime's own. */
export const usage = z.object({ cpuUs: z.number(), mainUs: z.number(), rssBytes: z.number() })
export type UsageReading = z.output<typeof usage>

export const opening = z.object({
  url: z.string(),
  /** One per session, or none. */
  keys: z.array(z.string()),
  sessions: z.number(),
  rampPerSecond: z.number(),
})
export const opened = z.object({ connect: percentiles })

/** The provider's end of the sessions, by connection. */
export const upstreamReport = z.object({
  up: percentiles,
  messages: z.number(),
  connections: z.array(
    z.object({
      connection: z.number(),
      who: z.number(),
      sent: z.number(),
      received: z.number(),
      doubled: z.number(),
      reordered: z.number(),
    }),
  ),
  errors: z.array(z.string()),
})
export type UpstreamReport = z.output<typeof upstreamReport>

/** The clients' end. */
export const loadReport = z.object({
  down: percentiles,
  messages: z.number(),
  clients: z.array(
    z.object({
      who: z.number(),
      connection: z.number(),
      sent: z.number(),
      received: z.number(),
      doubled: z.number(),
      reordered: z.number(),
    }),
  ),
  errors: z.array(z.string()),
})
export type LoadReport = z.output<typeof loadReport>

/** Of callers over WebRTC. `sound`: from the event that an answer begins to its first sound. */
export const callersReport = z.object({
  sound: percentiles,
  gaps: z.number(),
  callers: z.number(),
  errors: z.array(z.string()),
})
export type CallersReport = z.output<typeof callersReport>

/** Of people who talk with a cascade. `wait`: from the end of their speech to the first sound of the answer. */
export const speakersReport = z.object({ wait: percentiles, speakers: z.number(), errors: z.array(z.string()) })
export type SpeakersReport = z.output<typeof speakersReport>

const ask = z.object({ id: z.number(), call: z.string(), with: z.unknown() })

export type Answers = Readonly<Record<string, (given: unknown) => unknown>>

/** Says what is ready, answers the bench's calls, and ends with it. */
export function answerBench(told: Ready, answers: Answers): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', (message) => {
    const { id, call, with: given } = ask.parse(message)
    const answer = answers[call]
    Promise.resolve(answer === undefined ? Promise.reject(new Error(`no call ${call}`)) : answer(given)).then(
      (value) => process.send?.({ id, value: value ?? {} }),
      (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) }),
    )
  })
  process.send?.({ id: 0, value: told })
}

/** CPU with the kernel's share, of the whole process and of its main thread. */
export function readUsage(): UsageReading {
  const all = process.cpuUsage()
  const main = process.threadCpuUsage()
  return { cpuUs: all.user + all.system, mainUs: main.user + main.system, rssBytes: process.memoryUsage.rss() }
}
