// What a tenant is and which values it may hold. Pure.

import { z } from 'zod'
import type { TenantId } from '../platform/ids.ts'
import { slugPattern } from '../platform/slug.ts'
import type { WidgetBrand, WidgetTexts } from '../protocol/rest.ts'

/** Names of tools a channel may use; `all` leaves the choice to the agent. */
export type ToolRule = readonly string[] | 'all'

export interface Tenant {
  readonly id: TenantId
  readonly slug: string
  readonly name: string
  readonly status: 'active' | 'suspended'
  readonly plan: 'free' | 'pro' | 'agency' | 'enterprise'
  /** Exact origins (`https://shop.example`) whose pages may show the widget. */
  readonly origins: readonly string[]
  readonly brand: WidgetBrand
  readonly texts: WidgetTexts
  readonly parentTenantId?: TenantId
  /** IANA name: where the tenant's days begin and end. */
  readonly timezone: string
  /** `widget` stands for every channel a stranger can reach. */
  readonly allowedTools: { readonly widget: ToolRule; readonly api: ToolRule; readonly console: ToolRule }
  /** Wins over every permission. */
  readonly deniedTools: readonly string[]
}

export const defaultBrand: WidgetBrand = { accent: '#1f6feb', title: 'Chat with us' }
export const defaultTexts: WidgetTexts = {
  greeting: 'Hello! How can I help you?',
  placeholder: 'Write a message',
  consent: 'You are talking to an AI agent. The conversation is recorded.',
  suggestions: [],
}

/** True for `scheme://host[:port]` exactly as a browser sends it. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  const web = url?.protocol === 'https:' || url?.protocol === 'http:'
  // The URL parser takes a star for a host name; nobody's browser ever sends one.
  return web && url.origin === text && !text.includes('*')
}

export const defaultTimezone = 'UTC'

/** A zone this machine knows by its name: `Europe/Zurich`, not an offset, which would miss the change of clocks. */
function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const toolRule = z.union([z.literal('all'), z.array(z.string().min(1).max(64)).max(200)])

export const newTenant = z.strictObject({
  slug: z.string().regex(slugPattern, 'lower-case letters, digits and inner hyphens'),
  name: z.string().trim().min(1).max(120),
  plan: z.enum(['free', 'pro', 'agency', 'enterprise']).default('free'),
  origins: z
    .array(z.string().max(255).refine(isOrigin, 'an exact origin such as https://shop.example'))
    .max(100)
    .default([]),
  brand: z
    .strictObject({
      accent: z.string().regex(/^#[0-9a-f]{6}$/i),
      title: z.string().min(1).max(80),
      logoUrl: z.url({ protocol: /^https$/ }).exactOptional(),
    })
    .default(defaultBrand),
  texts: z
    .strictObject({
      greeting: z.string().max(500),
      placeholder: z.string().max(120),
      consent: z.string().max(500),
      suggestions: z.array(z.string().min(1).max(120)).max(6).readonly(),
    })
    .default(defaultTexts),
  parentTenantId: z.string().optional(),
  timezone: z.string().max(64).refine(isTimezone, 'an IANA time zone such as Europe/Zurich').default(defaultTimezone),
  allowedTools: z
    .strictObject({ widget: toolRule.default('all'), api: toolRule.default('all'), console: toolRule.default('all') })
    .default({ widget: 'all', api: 'all', console: 'all' }),
  deniedTools: z.array(z.string().min(1).max(64)).max(200).default([]),
})
export type NewTenant = z.input<typeof newTenant>

export const tenantChange = newTenant.omit({ slug: true, parentTenantId: true }).partial()
export type TenantChange = Partial<
  Pick<Tenant, 'name' | 'plan' | 'origins' | 'brand' | 'texts' | 'timezone' | 'allowedTools' | 'deniedTools'>
>

const { name, plan, origins, brand, texts, timezone, deniedTools } = newTenant.shape

/** By the API: what is not named stays, so nothing has a default. */
export const tenantPatch = z.strictObject({
  name: name.exactOptional(),
  plan: plan.unwrap().exactOptional(),
  origins: origins.unwrap().exactOptional(),
  brand: brand.unwrap().exactOptional(),
  texts: texts.unwrap().exactOptional(),
  timezone: timezone.unwrap().exactOptional(),
  allowedTools: z.strictObject({ widget: toolRule, api: toolRule, console: toolRule }).exactOptional(),
  deniedTools: deniedTools.unwrap().exactOptional(),
})
