// Server-sent events as a response body. Whoever sends learns nothing of a listener who left: what is under way goes on.

import type { Clock } from './clock.ts'

export interface ServerSent {
  /** Missing: an event without a name, as OpenAI's chat completions have them. */
  readonly event?: string
  /** Sent as JSON; a string as it is (`[DONE]`). */
  readonly data: unknown
}

/** Proxies close what was silent for a minute. */
const keepAliveMs = 15_000

export const eventStreamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx would hold the events back.
  'x-accel-buffering': 'no',
} as const

/** `run` must not reject: how a failure is told is a matter of the protocol. The stream ends when it is done. */
export function eventStream(
  clock: Clock,
  run: (send: (event: ServerSent) => void) => Promise<void>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let isOpen = true
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (text: string): void => {
        if (isOpen) controller.enqueue(encoder.encode(text))
      }
      const timer = clock.every(keepAliveMs, () => write(': keep-alive\n\n'))
      const end = (): void => {
        timer.cancel()
        if (isOpen) controller.close()
        isOpen = false
      }
      void run(({ event, data }) => {
        const text = typeof data === 'string' ? data : JSON.stringify(data)
        write(`${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`)
      }).then(end, end)
    },
    cancel() {
      isOpen = false
    },
  })
}
