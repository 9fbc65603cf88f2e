// A name server of ours on loopback, over UDP as the real ones, whose answers a test scripts: TTL 0, so that nobody may
// remember them.

import { createSocket } from 'node:dgram'
import { decode, encode } from 'dns-packet'

export interface NameServer extends AsyncDisposable {
  /** As `createResolve` takes it. */
  readonly address: string
  /** Names that were asked for, in order, with their record type: `A name.test`. */
  readonly asked: readonly string[]
  /** The nth question for the name gets the nth set of addresses, every later one the last. */
  answer(name: string, ...addresses: readonly (readonly string[])[]): void
  /** Questions for the name get no answer at all. */
  ignore(name: string): void
}

export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4')
  const known = new Map<string, { readonly sets: readonly (readonly string[])[]; counts: Record<string, number> }>()
  const ignored = new Set<string>()
  const asked: string[] = []
  socket.on('message', (message, from) => {
    const query = decode(message)
    const [question] = query.questions ?? []
    if (question === undefined || ignored.has(question.name)) return
    const { name, type } = question
    asked.push(`${type} ${name}`)
    const entry = known.get(name)
    const nth = entry?.counts[type] ?? 0
    if (entry !== undefined) entry.counts[type] = nth + 1
    const set = entry?.sets[Math.min(nth, entry.sets.length - 1)] ?? []
    const answers = set
      .filter((data) => (type === 'AAAA') === data.includes(':'))
      .map((data) => ({ name, type: type === 'AAAA' ? ('AAAA' as const) : ('A' as const), ttl: 0, data }))
    // 0x8180: an answer, recursion available; 3: there is no such name.
    const flags = 0x8180 | (entry === undefined ? 3 : 0)
    socket.send(
      encode({ type: 'response', id: query.id ?? 0, flags, questions: [question], answers }),
      from.port,
      from.address,
    )
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    answer: (name, ...sets) => void known.set(name, { sets, counts: {} }),
    ignore: (name) => void ignored.add(name),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(() => resolve()))
    },
  }
}
