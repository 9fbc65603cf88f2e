// How to ask for an operation: as a curl command and as JavaScript.

import type { Known, Operation } from './document.ts'
import { sample, sampleBody } from './sample.ts'

export interface ExamplesOf {
  readonly operation: Operation
  readonly known: Known
  /** `https://parley.example.com` */
  readonly origin: string
}

export interface Example {
  readonly name: 'curl' | 'fetch' | 'curl, streamed' | 'fetch, streamed' | 'WebSocket'
  readonly text: string
}

export const placeholder = {
  apiKey: 'af_live_YOUR_KEY',
  visitor: 'VISITOR_TOKEN',
  session: 'YOUR_SESSION',
  csrf: 'YOUR_CSRF_TOKEN',
}

interface Ask {
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: AskBody | undefined
}

type AskBody = { readonly json: unknown } | { readonly file: string } | { readonly form: readonly string[] }

export function examplesOf(of: ExamplesOf): readonly Example[] {
  const { operation } = of
  if (operation.subprotocols !== undefined) return [{ name: 'WebSocket', text: socketText(of, operation.subprotocols) }]
  const plain = askOf(of, false)
  const both: Example[] = [
    { name: 'curl', text: curlText(plain) },
    { name: 'fetch', text: fetchText(plain, readingOf(operation)) },
  ]
  if (!operation.streams) return both
  const streamed = askOf(of, true)
  return [
    ...both,
    { name: 'curl, streamed', text: curlText(streamed).replace('curl ', 'curl -N ') },
    { name: 'fetch, streamed', text: fetchText(streamed, streamReading) },
  ]
}

function askOf(of: ExamplesOf, stream: boolean): Ask {
  const body = bodyOf(of, stream)
  return { url: urlOf(of), method: of.operation.method, headers: headersOf(of, stream), body }
}

function urlOf({ operation, known, origin }: ExamplesOf): string {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const schema = operation.parameters.find((each) => each.in === 'path' && each.name === name)?.schema
    return schema?.enum === undefined ? name.toUpperCase() : String(schema.enum[0])
  })
  const asked = operation.parameters.filter(
    ({ in: place, name, required }) => place === 'query' && (required === true || needsTenant(operation, name)),
  )
  const query = asked.map(({ name, schema }) => `${name}=${encodeURIComponent(String(sample(schema, known, name)))}`)
  return `${origin}${path}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

/** A key is of one tenant; a person who signed in chooses. */
function needsTenant({ security }: Operation, name: string): boolean {
  return name === 'tenant' && security.length > 0 && security.every(({ operator }) => operator !== undefined)
}

function headersOf({ operation }: ExamplesOf, stream: boolean): readonly (readonly [string, string])[] {
  const [type] = Object.keys(operation.body?.content ?? {})
  // curl and fetch write this one themselves, with the boundary of the parts.
  const typed = type === undefined || type === 'multipart/form-data' ? [] : ([['content-type', type]] as const)
  return [...credentials(operation.security), ...typed, ...(stream ? ([['accept', 'text/event-stream']] as const) : [])]
}

/** The credential that a program would have, before the one of a person at the console. */
function credentials(security: Operation['security']): readonly (readonly [string, string])[] {
  if (security.some(({ apiKey }) => apiKey !== undefined)) return [['authorization', `Bearer ${placeholder.apiKey}`]]
  const person = security.find(({ operator }) => operator !== undefined)
  if (person === undefined) return []
  const cookie = ['cookie', `parley_session=${placeholder.session}`] as const
  return person.csrf === undefined ? [cookie] : [cookie, ['x-parley-csrf', placeholder.csrf]]
}

function bodyOf({ operation, known }: ExamplesOf, stream: boolean): AskBody | undefined {
  const [first] = Object.entries(operation.body?.content ?? {})
  if (first === undefined) return undefined
  const [type, { schema }] = first
  if (type === 'application/json') return { json: sampleBody(schema ?? {}, known, stream) }
  if (type === 'multipart/form-data') return { form: Object.keys(schema?.properties ?? { file: {} }) }
  return { file: type === 'application/sdp' ? 'offer.sdp' : 'body.json' }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

function curlText({ url, method, headers, body }: Ask): string {
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(url)}`]
  for (const [name, value] of headers) lines.push(`-H ${quoted(`${name}: ${value}`)}`)
  if (body !== undefined) {
    if ('json' in body) lines.push(`-d ${quoted(JSON.stringify(body.json, null, 2))}`)
    else if ('file' in body) lines.push(`--data-binary @${body.file}`)
    else for (const name of body.form) lines.push(`-F ${name}=@${name}`)
  }
  return lines.join(' \\\n  ')
}

const json = (value: unknown): string => JSON.stringify(value, null, 2).replaceAll('\n', '\n  ')

/** A browser sends the cookie of its own accord, and lets no page write it. */
function fetchText({ url, method, headers, body }: Ask, reading: string): string {
  const options: string[] = []
  const own = headers.filter(([name]) => name !== 'cookie')
  if (method !== 'GET') options.push(`method: '${method}',`)
  if (own.length < headers.length) options.push("credentials: 'same-origin',")
  if (own.length > 0) options.push(`headers: ${json(Object.fromEntries(own))},`)
  if (body !== undefined) {
    if ('json' in body) options.push(`body: JSON.stringify(${json(body.json)}),`)
    else options.push(`body: ${'file' in body ? 'text' : 'form'},`)
  }
  const given = options.length === 0 ? '' : `, {\n  ${options.join('\n  ')}\n}`
  return [`const response = await fetch('${url}'${given})`, 'if (!response.ok) throw await response.json()', reading]
    .join('\n')
    .trimEnd()
}

const streamReading = `const text = response.body.pipeThrough(new TextDecoderStream())
for await (const piece of text) console.log(piece)`

function readingOf({ replies }: Operation): string {
  const types = Object.keys(replies[0]?.content ?? {})
  if (types.length === 0) return ''
  const isJson = types.includes('application/json')
  return isJson ? 'const reply = await response.json()' : 'const reply = await response.text()'
}

function socketText({ operation, origin }: ExamplesOf, subprotocols: readonly string[]): string {
  const url = urlOf({ operation, known: {}, origin: origin.replace(/^http/, 'ws') })
  const person = operation.security.every(({ operator }) => operator !== undefined)
  // A browser cannot set a header on a WebSocket: the token travels among the subprotocols.
  const named = person ? subprotocols : [...subprotocols, `openai-insecure-api-key.${placeholder.visitor}`]
  const list = named.map((each) => `\n  '${each}',`).join('')
  return [
    `const socket = new WebSocket('${url}'${list === '' ? '' : `, [${list}\n]`})`,
    'socket.onmessage = ({ data }) => console.log(data)',
    'socket.onclose = ({ code, reason }) => console.log(code, reason)',
  ].join('\n')
}
