// Where and as whom to connect. The key goes into a header: an address may be logged by whatever lies between.

import type { Address } from '../upstream/address.ts'

const method = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent'

/** `baseUrl` is http(s) or ws(s), without the path of the method. Throws TypeError when it is no URL. */
export function geminiAddress(baseUrl: string, apiKey: string | undefined): Address {
  const url = new URL(baseUrl)
  if (url.protocol === 'https:') url.protocol = 'wss:'
  if (url.protocol === 'http:') url.protocol = 'ws:'
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${method}`
  return { url: url.href, headers: apiKey === undefined || apiKey === '' ? {} : { 'x-goog-api-key': apiKey } }
}

/** Google refuses everyone without a key; a relay of one's own may add it. */
export function needsKey(baseUrl: string): boolean {
  return new URL(baseUrl).hostname.endsWith('googleapis.com')
}
