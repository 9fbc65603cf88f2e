// For tests of a visit: the browser around it, played by the test.

import { afterEach, beforeEach, vi } from 'vitest'
import { Visit } from './visit.ts'

/** The browser's socket, played by the test: opens when told, keeps what was sent. */
export class FakeSocket {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static all: FakeSocket[] = []
  readonly url: string
  readonly protocols: readonly string[]
  readonly sent: Record<string, unknown>[] = []
  readyState = FakeSocket.CONNECTING
  bufferedAmount = 0
  binaryType = ''
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null

  constructor(url: string, protocols: readonly string[]) {
    this.url = url
    this.protocols = protocols
    FakeSocket.all.push(this)
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data))
  }

  close(): void {
    this.readyState = 3
  }

  tell(event: object): void {
    this.onmessage?.({ data: JSON.stringify({ event_id: 'e', ...event }) })
  }

  /** The hello of a session; every one brings a token of its own. */
  open(more: object = {}): void {
    this.readyState = FakeSocket.OPEN
    const engine = { kind: 'demo', demo: true, hears: 'words' }
    const resume = { token: `way-${FakeSocket.all.indexOf(this)}`, window_ms: 45_000 }
    const session = {
      session_id: 's',
      conversation_id: 'c',
      engine,
      heartbeat_ms: 5_000,
      history: [],
      epoch: 1,
      seq: 0,
    }
    this.tell({ type: 'parley.session', ...session, resume, ...more })
  }

  /** The session as it was, nothing missing. */
  goOn(seq: number): void {
    this.open({ seq, resumed: { gap: false } })
  }

  /** A frame of the session, numbered. */
  number(seq: number, event: object): void {
    this.onmessage?.({ data: JSON.stringify({ seq, ...event }) })
  }

  /** What it asked to come back to. */
  get resume(): string | undefined {
    return this.protocols.find((each) => each.startsWith('parley-resume.'))
  }

  die(code = 1006, reason = ''): void {
    this.readyState = 3
    this.onclose?.({ code, reason })
  }

  get texts(): unknown[] {
    return this.sent.flatMap(({ type, text }) => (type === 'parley.say' ? [text] : []))
  }
}

/** Channels of the tabs of one browser. */
class FakeChannel {
  static all: FakeChannel[] = []
  onmessage: ((event: { data: unknown }) => void) | null = null
  constructor() {
    FakeChannel.all.push(this)
  }
  postMessage(data: unknown): void {
    for (const each of FakeChannel.all) if (each !== this) queueMicrotask(() => each.onmessage?.({ data }))
  }
}

export const bootstrap = {
  token: 'token-1',
  expiresAt: 0,
  agent: { slug: 'shop', name: 'Shop' },
  brand: { accent: '#123456', title: 'Shop' },
  texts: { greeting: '', placeholder: '', consent: '', suggestions: [] },
  voice: true,
}
export const refusal = (code: string, retry: string) => ({ error: { code, message: code, retry } })

/** What the gateway answers to the next requests for a token; and what it was asked. */
export const replies: { status: number; body: unknown }[] = []
export const asked: unknown[] = []

/** For each test of a file: timers, sockets, channels and fetch of its own. */
export function useFakeBrowser(): void {
  beforeEach(() => {
    vi.useFakeTimers()
    FakeSocket.all = []
    FakeChannel.all = []
    replies.length = 0
    asked.length = 0
    vi.stubGlobal('WebSocket', FakeSocket)
    vi.stubGlobal('BroadcastChannel', FakeChannel)
    vi.stubGlobal('location', new URL('https://talk.example/widget/panel'))
    vi.stubGlobal('fetch', async (_url: string, init: { body: string }) => {
      asked.push(JSON.parse(init.body))
      const { status, body } = replies.shift() ?? { status: 200, body: bootstrap }
      return new Response(JSON.stringify(body), { status })
    })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
}

export const request = {
  key: 'pk_shop',
  agent: 'shop',
  visitorId: 'vis_1234567890123456',
  hostOrigin: 'https://shop.example',
}

export async function visiting(storage?: Storage): Promise<Visit> {
  const visit = new Visit(request, storage)
  await visit.boot()
  return visit
}

/** In a session, with one message on its way. */
export async function asking(text = 'Hello', storage?: Storage): Promise<Visit> {
  const visit = await visiting(storage)
  visit.say(text)
  await vi.advanceTimersByTimeAsync(0)
  socket().open()
  return visit
}

/** Of a tab: survives its pages. */
export function tabStorage(): Storage {
  const values = new Map<string, string>()
  return {
    get length() {
      return values.size
    },
    clear: () => values.clear(),
    key: (at) => [...values.keys()][at] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  }
}

export const socket = (at = -1): FakeSocket => {
  const found = FakeSocket.all.at(at)
  if (found === undefined) throw new Error('No socket was opened')
  return found
}
export const turn = (itemId: string, role: string, state = 'final') => ({
  type: 'parley.turn',
  turn: { itemId, role, state, seq: 1, text: 'x', voice: false },
})
export const itemId = (visit: Visit): string => visit.state.lines.at(-1)?.itemId ?? ''
