// Webhooks of PayPal: signed over id, time, our webhook's id and a checksum of the body, by a certificate that it serves itself.
// A checksum is no hash: a signed body can be exchanged for another one by whoever saw it. So what a hook says is a hint only.

import { createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { Fetch } from './outside-call.ts'
import { type Hook, type HookRequest, paymentTimeoutMs } from './payments.ts'

export interface PayPalHookNeeds {
  readonly fetch: Fetch
  /** Of the API: certificates come from PayPal's own hosts, or from here where another base was configured. */
  readonly baseUrl: string
  /** Undefined or empty: forged, whatever it is. */
  readonly webhookId: string | undefined
  readonly certificates: PayPalCertificates
  readonly nowMs: () => number
}

export type PayPalCertificates = Map<string, KeyObject>

const maxCertificates = 20
const maxCertificateChars = 20_000

const hookEvent = z.object({
  id: z.string().min(1).max(200),
  event_type: z.string(),
  resource: z.looseObject({
    id: z.string().max(100).optional(),
    supplementary_data: z.object({ related_ids: z.object({ order_id: z.string().max(100).optional() }) }).optional(),
  }),
})

export async function readPayPalHook(request: HookRequest, needs: PayPalHookNeeds): Promise<Hook> {
  if (!(await isSigned(request, needs))) return { is: 'forged' }
  const event = hookEvent.safeParse(parsed(request.bytes))
  if (!event.success) return { is: 'ignored', eventId: '' }
  const { id: eventId, event_type: type, resource } = event.data
  const ofOrder = type.startsWith('CHECKOUT.ORDER.') ? resource.id : undefined
  const ofCapture = type.startsWith('PAYMENT.CAPTURE.') ? resource.supplementary_data?.related_ids.order_id : undefined
  const providerId = ofOrder ?? ofCapture
  if (providerId === undefined) return { is: 'ignored', eventId }
  return { is: 'about', eventId, providerId, approved: type === 'CHECKOUT.ORDER.APPROVED' }
}

async function isSigned({ bytes, header }: HookRequest, needs: PayPalHookNeeds): Promise<boolean> {
  const { webhookId } = needs
  if (webhookId === undefined || webhookId.trim() === '') return false
  const [id, time, signature, url, algorithm] = [
    ...['paypal-transmission-id', 'paypal-transmission-time', 'paypal-transmission-sig', 'paypal-cert-url'],
    'paypal-auth-algo',
  ].map((name) => header(name) ?? '')
  if (!id || !time || !signature || !url || algorithm !== 'SHA256withRSA') return false
  const key = await keyAt(url, needs)
  if (key === undefined) return false
  const signed = `${id}|${time}|${webhookId}|${crc32(bytes)}`
  return verify('sha256', Buffer.from(signed), key, Buffer.from(signature, 'base64'))
}

async function keyAt(given: string, needs: PayPalHookNeeds): Promise<KeyObject | undefined> {
  const url = URL.parse(given)
  if (url === null || !isPayPals(url, needs.baseUrl)) return undefined
  const known = needs.certificates.get(url.href)
  if (known !== undefined) return known
  try {
    const signal = AbortSignal.timeout(paymentTimeoutMs)
    const response = await needs.fetch(url.href, { method: 'GET', headers: {}, signal, redirect: 'error' })
    const text = await response.text()
    if (!response.ok || text.length > maxCertificateChars) return undefined
    const certificate = new X509Certificate(text)
    if (Date.parse(certificate.validTo) < needs.nowMs()) return undefined
    const key = createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' }))
    if (needs.certificates.size >= maxCertificates) needs.certificates.clear()
    needs.certificates.set(url.href, key)
    return key
  } catch {
    return undefined
  }
}

/** Whoever may name the certificate signs what they like. */
function isPayPals(url: URL, baseUrl: string): boolean {
  if (url.username !== '' || url.password !== '') return false
  if (url.origin === new URL(baseUrl).origin) return true
  return url.protocol === 'https:' && url.port === '' && /(^|\.)paypal\.com$/.test(url.hostname)
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
