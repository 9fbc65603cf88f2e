// Which cells there are and what each one is expected to be; the same table stands in the README, and a test compares them.

export const engines = ['openai-realtime', 'openai-live', 'cascade', 'gemini-live', 'demo'] as const
export type EngineName = (typeof engines)[number]

export const transports = ['websocket', 'webrtc', 'direct'] as const
export type TransportName = (typeof transports)[number]

export const actions = ['talk', 'text', 'tool', 'interruption', 'mute', 'end', 'engine loss'] as const
export type ActionName = (typeof actions)[number]

/** `ok`, or the typed answer that a client gets instead. */
export type Cell = 'ok' | `cannot ${string}`

/** Asked for where the engine's provider takes no browser: the gateway ends the call itself, and says so. */
const endedHere: Cell = 'cannot x-parley-media: gateway'
const withoutDirect: readonly EngineName[] = ['cascade', 'gemini-live', 'demo']

export function expected(engine: EngineName, transport: TransportName): Cell {
  return transport === 'direct' && withoutDirect.includes(engine) ? endedHere : 'ok'
}

export function rowsOf(cell: (engine: EngineName, transport: TransportName, action: ActionName) => string): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rows = engines.flatMap((engine) =>
    transports.map((transport) =>
      line([engine, transport, ...actions.map((action) => cell(engine, transport, action))]),
    ),
  )
  return [
    line(['engine', 'transport', ...actions]),
    line(['engine', 'transport', ...actions].map(() => '---')),
    ...rows,
  ]
}
