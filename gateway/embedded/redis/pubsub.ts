// Publish and subscribe within the process, in the lines an Upstash event stream carries.

import { glob } from './arguments.ts'
import { type Commands, exactly } from './command.ts'

export interface Subscription {
  /** Channel names, or glob patterns. */
  readonly names: readonly string[]
  readonly isPattern: boolean
  readonly onLine: (line: string) => void
  readonly signal: AbortSignal | undefined
}

interface Listener {
  readonly name: string
  readonly matches: (channel: string) => boolean
  readonly isPattern: boolean
  readonly onLine: (line: string) => void
}

export interface PubSub {
  readonly commands: Commands
  subscribe(subscription: Subscription): void
}

export function createPubSub(): PubSub {
  const listeners = new Set<Listener>()

  const publish = (channel: string, text: string): number => {
    const receivers = [...listeners].filter((listener) => listener.matches(channel))
    for (const { name, isPattern, onLine } of receivers) {
      const line = isPattern ? `pmessage,${name},${channel},${text}` : `message,${channel},${text}`
      // A later turn: a subscriber that throws or publishes must not do so inside the publisher's call.
      setImmediate(() => onLine(line))
    }
    return receivers.length
  }

  return {
    commands: { publish: exactly(2, ([channel = '', text = '']) => publish(channel, text)) },
    subscribe({ names, isPattern, onLine, signal }) {
      if (signal?.aborted === true) return
      const added = names.map((name): Listener => {
        const pattern = isPattern ? glob(name) : undefined
        return { name, matches: (channel) => pattern?.test(channel) ?? channel === name, isPattern, onLine }
      })
      const verb = isPattern ? 'psubscribe' : 'subscribe'
      for (const [at, listener] of added.entries()) {
        listeners.add(listener)
        setImmediate(() => onLine(`${verb},${listener.name},${at + 1}`))
      }
      signal?.addEventListener('abort', () => added.forEach((listener) => void listeners.delete(listener)), {
        once: true,
      })
    },
  }
}
