// Where and as whom to connect: OpenAI, Azure, or any server of the same protocol.

export interface Address {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** `baseUrl` is http(s) or ws(s), with or without the final `/realtime`. Throws TypeError when it is no URL. */
export function realtimeAddress(baseUrl: string, model: string, apiKey: string | undefined): Address {
  const url = socketUrl(baseUrl, '/realtime')
  url.searchParams.set('model', model)
  return withKey(url, apiKey)
}

/** The same for GPT-Live, which is told the model in its first event and refuses a query. */
export function liveAddress(baseUrl: string, apiKey: string | undefined): Address {
  const url = socketUrl(baseUrl.replace(/\/realtime\/*$/, ''), '/live/sessions')
  url.search = ''
  return withKey(url, apiKey)
}

/** Where a call is created and, under its id, hung up. `baseUrl` as for the sockets. */
export function callsAddress(baseUrl: string, apiKey: string | undefined, callId?: string): Address {
  return withKey(httpUrl(socketUrl(baseUrl, '/realtime'), callId === undefined ? '/calls' : callEnd(callId)), apiKey)
}

/** The control of a call that somebody else holds. */
export function sidebandAddress(baseUrl: string, apiKey: string | undefined, callId: string): Address {
  const url = socketUrl(baseUrl, '/realtime')
  url.searchParams.set('call_id', callId)
  return withKey(url, apiKey)
}

function callEnd(callId: string): string {
  return `/calls/${encodeURIComponent(callId)}/hangup`
}

/** As `callsAddress`, of GPT-Live. */
export function liveCallsAddress(baseUrl: string, apiKey: string | undefined, sessionId?: string): Address {
  const { url } = liveAddress(baseUrl, undefined)
  return withKey(
    httpUrl(new URL(url), sessionId === undefined ? '' : `/${encodeURIComponent(sessionId)}/hangup`),
    apiKey,
  )
}

export function attachAddress(baseUrl: string, apiKey: string | undefined, sessionId: string): Address {
  const url = new URL(liveAddress(baseUrl, undefined).url)
  url.pathname += `/${encodeURIComponent(sessionId)}/attach`
  return withKey(url, apiKey)
}

function httpUrl(socket: URL, end: string): URL {
  const url = new URL(socket)
  url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:'
  url.pathname += end
  return url
}

function socketUrl(baseUrl: string, end: string): URL {
  const url = new URL(baseUrl)
  if (url.protocol === 'https:') url.protocol = 'wss:'
  if (url.protocol === 'http:') url.protocol = 'ws:'
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith(end) ? path : `${path}${end}`
  return url
}

function withKey(url: URL, apiKey: string | undefined): Address {
  if (apiKey === undefined || apiKey === '') return { url: url.href, headers: {} }
  return {
    url: url.href,
    headers: isAzure(url.hostname) ? { 'api-key': apiKey } : { authorization: `Bearer ${apiKey}` },
  }
}

/** Hosts that refuse everyone without a key; a local server may take anyone. */
export function needsKey(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname
  return host.endsWith('openai.com') || isAzure(host)
}

/** How long the provider lets a session live. */
export function maxDurationMs(baseUrl: string): number {
  try {
    return (isAzure(new URL(baseUrl).hostname) ? 30 : 60) * 60_000
  } catch {
    // No address at all: refused when it is opened.
    return 60 * 60_000
  }
}

function isAzure(host: string): boolean {
  return host.endsWith('.openai.azure.com') || host.endsWith('.cognitiveservices.azure.com')
}
