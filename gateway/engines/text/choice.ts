// Which models an agent's wish comes to, with what this gateway has. Pure.

import { type CatalogueEntry, catalogue, defaultModel, providersInOrder, type Tier, tierOf } from './catalogue.ts'
import { type Route, routeOf } from './route.ts'
import type { PartPlan, Server, ServerKind } from './server.ts'
import { needsKey, partOf, readParts, type Servers } from './servers.ts'
import type { PassedModel, TextModelListing, TextWish } from './text-model.ts'

export interface TextPlan {
  readonly servers: Servers
  /** The gateway's own models, in the order they are asked. Empty: only the built-in brain. */
  readonly own: readonly PartPlan[]
}

const kinds: readonly ServerKind[] = ['http', 'anthropic', 'google', 'openai-responses']

/** `list`: as the operator wrote it; else what `fallback` has; else two models of each provider whose key is set. */
export function readTextPlan(
  list: string | undefined,
  servers: Servers,
  fallback: readonly PartPlan[],
): { readonly plan: TextPlan; readonly problems: readonly string[] } {
  const { parts, problems } = readParts(list, servers, kinds)
  const given = parts.length > 0 ? parts : fallback
  const own = given.length > 0 ? given : [...defaults(servers)]
  return { plan: { servers, own }, problems: problems.map((each) => `TEXT_MODELS: ${each}`) }
}

function* defaults(servers: Servers): Generator<PartPlan> {
  for (const tier of ['best', 'cheap'] as const) {
    for (const name of providersInOrder) {
      const server = servers.get(name)
      const model = defaultModel(name, tier)
      // Who serves at another address than OpenAI's has other models: the operator names them.
      const isTheirs = name !== 'openai' || (server !== undefined && needsKey({ ...server, apiKey: undefined }))
      if (server?.apiKey !== undefined && model !== undefined && isTheirs)
        yield { name: `${name}:${model}`, server, model, options: {} }
    }
  }
}

export interface Chosen {
  /** Empty: the built-in brain. */
  readonly parts: readonly PartPlan[]
  readonly passedOver: readonly PassedModel[]
  readonly why: string
}

export function chosen(plan: TextPlan, wish: TextWish): Chosen {
  if (wish.provider === 'demo') return { parts: [], passedOver: [], why: 'the built-in brain is asked for' }
  const isAuto = wish.provider === '' || wish.provider === 'auto'
  const route = routeFor(wish)
  const own = route === undefined ? plan.own : byTier(plan.own, route.tier)
  const named = isAuto ? [] : [nameOf(wish.provider, wish.model, route?.tier ?? 'best')]
  const passedOver: PassedModel[] = []
  const parts: PartPlan[] = isAuto ? [...own] : []
  const provider = isAuto ? (parts[0]?.server.name ?? '') : wish.provider
  for (const name of [...named, ...wish.fallbacks.map((each) => qualified(each, provider, plan.servers))]) {
    const part = partNamed(name, plan)
    if (typeof part === 'string') passedOver.push({ name, reason: part })
    else parts.push(part)
  }
  const all = [...parts, ...own]
  const first = all.filter((part, i) => all.findIndex(({ name }) => name === part.name) === i)
  return {
    parts: first,
    passedOver,
    why: whyOf(first[0], { isAuto, passedOver, route: route?.why ?? 'the order of this gateway' }),
  }
}

function whyOf(
  first: PartPlan | undefined,
  on: { readonly isAuto: boolean; readonly passedOver: readonly PassedModel[]; readonly route: string },
): string {
  if (first === undefined) return 'no model is set up here: the built-in brain answers'
  if (on.isAuto) return on.route
  return on.passedOver.length === 0 ? 'the agent names it' : 'stands in for a model that cannot be asked'
}

/** Undefined: as the operator has them in order. */
function routeFor({ provider, purpose, question }: TextWish): Route | undefined {
  if (purpose !== undefined) return { tier: purpose, why: `${purpose} model: asked for` }
  if (provider !== 'auto') return undefined
  return question === undefined
    ? { tier: 'best', why: 'best model: nothing is known of the question' }
    : routeOf(question)
}

function byTier(parts: readonly PartPlan[], tier: Tier): readonly PartPlan[] {
  const is = ({ server, model }: PartPlan) => tierOf(server.name, model) === tier
  return [...parts.filter(is), ...parts.filter((part) => !is(part))]
}

function nameOf(provider: string, model: string, tier: Tier): string {
  return `${provider}:${model === '' ? (defaultModel(provider, tier) ?? '') : model}`
}

/** A fallback without a server of its own is of the same provider. OpenRouter's own ids begin with a vendor and a slash. */
function qualified(name: string, provider: string, servers: Servers): string {
  const [, server = '', model = ''] = /^([a-z][a-z0-9-]*)[:/](.+)$/.exec(name) ?? []
  const isNamed = servers.has(server) && (name.startsWith(`${server}:`) || provider !== 'openrouter')
  return isNamed ? `${server}:${model}` : `${provider}:${name}`
}

/** Whoever writes an agent's config chooses a model, not what else is sent to its server. */
function partNamed(name: string, plan: TextPlan): PartPlan | string {
  const own = plan.own.find((part) => part.name === name)
  return own ?? partOf(name.split('?', 1)[0] ?? '', plan.servers, kinds)
}

export function problemOf(
  plan: TextPlan,
  { provider, model }: Pick<TextWish, 'provider' | 'model'>,
): string | undefined {
  if (provider === '' || provider === 'auto' || provider === 'demo') return undefined
  const part = partNamed(nameOf(provider, model, 'best'), plan)
  return typeof part === 'string' ? part : undefined
}

export function listing(plan: TextPlan): readonly TextModelListing[] {
  const auto = { provider: 'auto', model: '', label: 'The best fit of this gateway' }
  const own = plan.own
    .filter((part) => !catalogue.some((each) => `${each.provider}:${each.model}` === part.name))
    .map(({ server, model }) => ({ provider: server.name, model, label: `${model} (${server.name})` }))
  return [auto, ...own, ...catalogue.map((each) => listed(each, plan.servers)), demo]
}

const demo = { provider: 'demo', model: '', label: 'Built-in demo brain, no key' } as const

function listed({ provider, model, label }: CatalogueEntry, servers: Servers): TextModelListing {
  const off = offReason(servers.get(provider))
  return { provider, model, label, ...(off === undefined ? {} : { off }) }
}

function offReason(server: Server | undefined): string | undefined {
  if (server === undefined) return 'no such server'
  return needsKey(server) || (server.kind !== 'http' && server.apiKey === undefined) ? 'its key is not set' : undefined
}
