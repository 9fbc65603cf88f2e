// The demo page: choose a tenant, and the widget is mounted for it as any website would mount it.

import { anyHints, hints } from './hints.ts'

interface DemoTenant {
  readonly slug: string
  readonly name: string
  readonly agent: string
  readonly key: string
  readonly accent: string
  readonly blurb: string
}

const parameter = 'tenant'

function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no #${id}`)
  return found
}

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className: string,
  text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  made.className = className
  made.textContent = text
  return made
}

async function tenants(): Promise<readonly DemoTenant[]> {
  const response = await fetch('/v1/demo/tenants')
  if (!response.ok) throw new Error(`The list of tenants answered ${response.status}`)
  return response.json()
}

function snippetOf(tenant: DemoTenant): string {
  return [
    '<script',
    `  src="${location.origin}/widget.js"`,
    `  data-agent="${tenant.agent}"`,
    `  data-key="${tenant.key}"`,
    `  data-accent="${tenant.accent}"`,
    '  async></script>',
  ].join('\n')
}

/** The page makes room for the open panel. */
function makeRoom(open: boolean): void {
  document.documentElement.toggleAttribute('data-talking', open)
}

/** As any website does it: calls made before the script has loaded wait in a queue. */
function mount(tenant: DemoTenant): void {
  window.parley?.('destroy')
  makeRoom(false)
  const calls: [command: string, first?: unknown, second?: unknown][] = []
  window.parley = Object.assign((...call: (typeof calls)[number]) => void calls.push(call), { q: calls })
  window.parley('on', 'open', () => makeRoom(true))
  window.parley('on', 'close', () => makeRoom(false))
  document.getElementById('parley-script')?.remove()
  const script = document.createElement('script')
  script.id = 'parley-script'
  script.src = '/widget.js'
  script.async = true
  Object.assign(script.dataset, { agent: tenant.agent, key: tenant.key, accent: tenant.accent })
  document.body.append(script)
}

function choose(tenant: DemoTenant): void {
  document.documentElement.style.setProperty('--accent', tenant.accent)
  document.title = `${tenant.name} – Parley demo`
  byId('snippet').textContent = snippetOf(tenant)
  byId('hints').replaceChildren(...(hints[tenant.slug] ?? anyHints).map(hint))
  const url = new URL(location.href)
  url.searchParams.set(parameter, tenant.slug)
  history.replaceState(null, '', url)
  mount(tenant)
}

function hint(text: string): HTMLElement {
  const item = element('li', '')
  const ask = element('button', 'hint', text)
  ask.type = 'button'
  ask.onclick = () => {
    window.parley?.('open')
    window.parley?.('say', text)
  }
  item.append(ask)
  return item
}

function card(tenant: DemoTenant, chosen: boolean): HTMLElement {
  const label = element('label', 'tenant')
  label.style.setProperty('--own', tenant.accent)
  const radio = element('input', '')
  radio.type = 'radio'
  radio.name = parameter
  radio.value = tenant.slug
  radio.checked = chosen
  radio.onchange = () => choose(tenant)
  const mark = element('span', 'mark', tenant.name.slice(0, 1))
  mark.ariaHidden = 'true'
  const text = element('span', 'tenant-text')
  text.append(element('strong', '', tenant.name), element('span', '', tenant.blurb))
  label.append(radio, mark, text)
  return label
}

async function copy(button: HTMLElement): Promise<void> {
  const before = button.textContent
  try {
    await navigator.clipboard.writeText(byId('snippet').textContent ?? '')
    button.textContent = 'Copied'
  } catch {
    getSelection()?.selectAllChildren(byId('snippet'))
    button.textContent = 'Press Ctrl+C'
  }
  setTimeout(() => {
    button.textContent = before
  }, 1_800)
}

async function start(): Promise<void> {
  const list = await tenants()
  const wanted = new URLSearchParams(location.search).get(parameter)
  const first = list.find((tenant) => tenant.slug === wanted) ?? list[0]
  byId('tenants').replaceChildren(...list.map((tenant) => card(tenant, tenant === first)))
  byId('tenants-state').textContent = first === undefined ? 'The demo is switched off on this gateway.' : ''
  if (first === undefined) return
  choose(first)
  const open = byId('open')
  open.toggleAttribute('disabled', false)
  open.onclick = () => window.parley?.('open')
  const copier = byId('copy')
  copier.onclick = () => void copy(copier)
}

start().catch(() => {
  byId('tenants-state').textContent = 'The gateway did not answer. Please reload the page.'
})
