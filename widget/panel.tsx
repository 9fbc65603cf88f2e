// The panel's page: who framed it, which visit it is, then the views.

import { render } from 'preact'
import { parseAccent, textOn } from './accent.ts'
import { visitorId } from './bootstrap.ts'
import type { HostMessage, Init, PanelMessage } from './bridge.ts'
import { isRightToLeft, wordsFor } from './languages.ts'
import type { State } from './state.ts'
import { App } from './views/app.tsx'
import { Visit } from './visit.ts'

/** Diagnostics for tests and for the curious: reads only. */
declare global {
  interface Window {
    __parley?: {
      /** Root mean square of the sound now being played, 0 to 1. */
      outputLevel(): number
      state(): State
      /** Milliseconds of an item's audio that left the queue towards the loudspeaker. */
      playedMs(itemId: string): number
      /** What the session runs over now: `websocket` or `webrtc`. */
      transport(): string | undefined
    }
  }
}

const query = new URLSearchParams(location.search)
/** The page around us speaks before they are there. */
const speaking = wordsFor([query.get('lang') ?? '', ...navigator.languages]).then(({ lang, words }) => {
  document.documentElement.lang = lang
  document.documentElement.dir = isRightToLeft(lang) ? 'rtl' : 'ltr'
  return words
})
paint(query.get('accent') ?? '')

if (window.parent === window) void begin(location.origin, undefined)
else addEventListener('message', greet)

/** Only the page around us, only once: the origin of this message is what the browser says it is. */
function greet({ source, origin, data, ports }: MessageEvent<Init>): void {
  const [port] = ports
  if (source !== window.parent || data?.parley !== 'init' || port === undefined) return
  removeEventListener('message', greet)
  void begin(origin, port).then((visit) => visit.dispatch({ is: 'visible', on: data.visible }))
}

async function begin(hostOrigin: string, port: MessagePort | undefined): Promise<Visit> {
  const words = await speaking
  const visit = new Visit(
    {
      key: query.get('key') ?? '',
      agent: query.get('agent') ?? undefined,
      visitorId: visitorId(),
      hostOrigin,
    },
    tabStorage(),
  )
  const tell = (message: PanelMessage): void => port?.postMessage(message)
  if (port === undefined) visit.dispatch({ is: 'visible', on: true })
  else port.onmessage = ({ data }: MessageEvent<HostMessage>) => obey(visit, data)
  if (port !== undefined)
    visit.actions(({ call_id: id, action: name, arguments: args }) => tell({ t: 'action', id, name, args }))
  visit.subscribe((state, before) => report(state, before, tell))
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && visit.wake())
  addEventListener('online', () => visit.wake())
  addEventListener('pageshow', () => visit.wake())
  window.__parley = {
    outputLevel: () => visit.outputLevel,
    state: () => visit.state,
    playedMs: (itemId) => visit.playedMs(itemId),
    transport: () => visit.transport,
  }
  render(<App visit={visit} words={words} close={port && (() => tell({ t: 'close' }))} />, document.body)
  void visit.boot()
  tell({ t: 'ready' })
  return visit
}

/** Absent where a page's visitor has forbidden it. */
function tabStorage(): Storage | undefined {
  try {
    return sessionStorage
  } catch {
    return undefined
  }
}

function obey(visit: Visit, message: HostMessage): void {
  switch (message.t) {
    case 'visible':
      visit.dispatch({ is: 'visible', on: message.on })
      return
    case 'say':
      visit.say(message.text)
      return
    case 'call':
      visit.startCall()
      return
    case 'hangup':
      void visit.endCall()
      return
    case 'result':
      visit.answer(message.id, message.ok, JSON.parse(message.json))
  }
}

/** What the page around may know: that something was said, never what. */
function report(state: State, before: State, tell: (message: PanelMessage) => void): void {
  if (state.boot !== before.boot && state.boot !== undefined) {
    const { accent, title } = state.boot.brand
    if (!query.has('accent')) {
      paint(accent)
      tell({ t: 'accent', accent })
    }
    document.title = title
  }
  if (state.unread !== before.unread) tell({ t: 'unread', count: state.unread })
  if (state.call !== before.call && state.call !== 'starting') tell({ t: 'call', on: state.call === 'on' })
  if (state.phase !== before.phase || state.visible !== before.visible) {
    const lasts = state.phase === 'live' || state.phase === 'reconnecting'
    tell({ t: 'session', on: state.visible && lasts ? '1' : '' })
  }
  if (state.mic !== undefined && state.mic !== before.mic) tell({ t: 'error', code: `microphone_${state.mic}` })
  if (state.ended !== undefined && state.ended !== before.ended && state.ended.ending.code !== undefined)
    tell({ t: 'error', code: state.ended.ending.code })
  if (state.lines === before.lines) return
  for (const { itemId, role, voice, past, state: now } of state.lines) {
    if (role === 'note' || role === 'visual' || past || now === 'partial' || itemId === 'greeting') continue
    const was = before.lines.find((line) => line.itemId === itemId)?.state
    if (was === undefined || was === 'partial') tell({ t: 'message', role, voice })
  }
}

function paint(color: string): void {
  const accent = parseAccent(color)
  if (accent === undefined) return
  document.documentElement.style.setProperty('--accent', accent)
  document.documentElement.style.setProperty('--on-accent', textOn(accent))
}
