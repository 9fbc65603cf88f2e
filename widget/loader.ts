// The only script a customer's page loads: a button, and a frame with the panel once somebody reaches for it.
// Classic script, built to /widget.js. `parley('open' | 'close' | 'call' | 'hangup' | 'destroy')`, `parley('say', text)`,
// `parley('tool', name, handler)` is what the page does when the agent asks for it, `parley('on', event, listener)` has the events ready, open, close, call, message, unread and error.
// Attributes: data-key, data-agent, data-accent, data-lang, data-label, data-voice="off".

import type { HostMessage, Init, PanelMessage } from './bridge.ts'
import { css } from './loader-css.ts'

interface Api {
  (command: string, first?: unknown, second?: unknown): void
  /** Calls made before this script ran: `parley = (...call) => (parley.q ??= []).push(call)`. */
  q?: Iterable<readonly [command: string, first?: unknown, second?: unknown]>
}

declare global {
  interface Window {
    parley?: Api
  }
}

const script = document.currentScript ?? document.querySelector('script[data-key]')
if (!(script instanceof HTMLScriptElement)) throw new Error('parley: no script')
const { dataset } = script
const { origin } = new URL(script.src)
const label = dataset.label ?? 'Chat or talk with us'
const early = window.parley?.q
const listeners: [event: unknown, listener: (detail?: unknown) => void][] = []
const tools = new Map<unknown, (args: unknown) => unknown>()
const host = document.createElement('parley-widget')
const root = host.attachShadow({ mode: 'open' })
const button = document.createElement('button')
const badge = document.createElement('span')
let frame: HTMLIFrameElement | undefined
let port: MessagePort | undefined
let back: HTMLElement = button
let open = false
const mark = `parley${dataset.key}`
/** The next page in this tab finds what was in view. */
let tab: Record<string, unknown> = {}
try {
  tab = sessionStorage
} catch {
  // Forbidden: the next page begins with a closed panel.
}

function emit(event: string, detail?: unknown): void {
  for (const [name, listener] of listeners) if (name === event) listener(detail)
}

function send(message: HostMessage): void {
  load()
  // Kept by the channel until the panel listens.
  port?.postMessage(message)
}

function load(): void {
  if (frame) return
  const made = document.createElement('iframe')
  frame = made
  made.title = label
  made.allow = `autoplay ${origin}${dataset.voice === 'off' ? '' : `;microphone ${origin}`}`
  made.src = `${origin}/widget/panel?${new URLSearchParams(Object.assign<Record<string, string>, DOMStringMap>({}, dataset))}`
  const { port1, port2 } = new MessageChannel()
  port = port1
  port.onmessage = ({ data }: MessageEvent<PanelMessage>) => hear(data)
  made.onload = () => {
    const init: Init = { parley: 'init', visible: open }
    made.contentWindow?.postMessage(init, origin, [port2])
  }
  root.append(made)
}

function hear(message: PanelMessage): void {
  if (message.t === 'unread') badge.textContent = `${message.count || ''}`
  if (message.t === 'accent') paint(message.accent)
  if (message.t === 'call') host.toggleAttribute('data-call', message.on)
  if (message.t === 'session') tab[mark] = message.on
  if (message.t === 'close') show(false)
  else if (message.t === 'action') void act(message)
  else emit(message.t, message)
}

/** What a handler gives, or throws, is told to the agent. */
async function act({ id, name, args }: PanelMessage & { t: 'action' }): Promise<void> {
  let ok = true
  let json = '"no such tool"'
  try {
    const handler = tools.get(name)
    ok = !!handler
    if (handler) json = JSON.stringify(await handler(args)) ?? 'null'
  } catch (error) {
    ok = false
    json = JSON.stringify(`${error}`)
  }
  send({ t: 'result', id, ok, json })
}

function show(on: boolean): void {
  if (on === open) return
  const { activeElement } = document
  // What surrounds the widget can take no focus.
  if (on) back = activeElement instanceof HTMLElement && !activeElement.contains(host) ? activeElement : button
  reveal(on)
  send({ t: 'visible', on })
  if (on) frame?.focus()
  else back.focus()
  emit(on ? 'open' : 'close')
}

function reveal(on: boolean): void {
  open = on
  host.toggleAttribute('data-open', on)
  button.ariaExpanded = `${on}`
}

function paint(color: string): void {
  host.style.setProperty('--accent', color)
}

function api(command: string, first?: unknown, second?: unknown): void {
  if (typeof second === 'function') {
    if (command === 'on') listeners.push([first, (detail) => second(detail)])
    if (command === 'tool') tools.set(first, (args) => second(args))
  }
  if (command === 'open' || command === 'call') show(true)
  if (command === 'close') show(false)
  if (command === 'call' || command === 'hangup') send({ t: command })
  if (command === 'say') send({ t: command, text: `${first}` })
  if (command === 'destroy') {
    host.remove()
    delete window.parley
  }
}

/** Made by hand: pages with trusted types refuse markup from strings. */
function sign(path: string): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const line = document.createElementNS(svg.namespaceURI, 'path')
  svg.setAttribute('viewBox', '0 0 24 24')
  line.setAttribute('d', path)
  svg.append(line)
  return svg
}

function attach(): void {
  document.body.append(host)
  emit('ready')
  if (open) emit('open')
}

// A second script (another tenant, a page that navigates by itself) takes over.
if (!early) window.parley?.('destroy')
window.parley = api
const sheet = new CSSStyleSheet()
sheet.replaceSync(css)
root.adoptedStyleSheets = [sheet]
button.ariaLabel = label
button.append(sign('M4 20l1.3-4A8 7.5 0 1 1 9 18.5zM8.5 10v2M12 8.5v5M15.5 10v2'), sign('M7 10l5 5 5-5'))
button.onclick = () => show(!open)
button.onpointerenter = button.onfocus = load
root.append(button, badge)
// Without taking the focus, and not over the whole screen of a phone.
reveal(!!tab[mark] && innerWidth > 480)
if (tab[mark]) load()
if (dataset.accent) paint(dataset.accent)
for (const call of early ?? []) api(...call)
if (document.body) attach()
else addEventListener('DOMContentLoaded', attach)
