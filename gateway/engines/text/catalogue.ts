// Models people may choose by name, as data. Any other model of a server can be named too: the list is a help, no limit.

export type Tier = 'cheap' | 'best'

export interface CatalogueEntry {
  readonly provider: string
  readonly model: string
  readonly label: string
  readonly tier: Tier
  /** This one serves where the agent names the provider and no model, and for the provider's share of `auto`. */
  readonly isDefault?: true
}

/** Ids as the providers have them, November 2026. */
export const catalogue: readonly CatalogueEntry[] = [
  { provider: 'anthropic', model: 'claude-sonnet-5', label: 'Claude Sonnet 5', tier: 'best', isDefault: true },
  { provider: 'anthropic', model: 'claude-opus-5', label: 'Claude Opus 5', tier: 'best' },
  { provider: 'anthropic', model: 'claude-haiku-4-5', label: 'Claude Haiku 4.5', tier: 'cheap', isDefault: true },
  { provider: 'openai', model: 'gpt-5.5', label: 'GPT-5.5', tier: 'best', isDefault: true },
  { provider: 'openai', model: 'gpt-5.4-mini', label: 'GPT-5.4 Mini', tier: 'cheap', isDefault: true },
  { provider: 'openai', model: 'gpt-4o', label: 'GPT-4o', tier: 'best' },
  { provider: 'openai', model: 'gpt-4o-mini', label: 'GPT-4o Mini', tier: 'cheap' },
  {
    provider: 'openrouter',
    model: 'anthropic/claude-sonnet-4',
    label: 'Claude Sonnet 4',
    tier: 'best',
    isDefault: true,
  },
  { provider: 'openrouter', model: 'openai/gpt-4o', label: 'GPT-4o', tier: 'best' },
  { provider: 'openrouter', model: 'openai/gpt-4o-mini', label: 'GPT-4o Mini', tier: 'cheap', isDefault: true },
  { provider: 'openrouter', model: 'google/gemini-pro-1.5', label: 'Gemini Pro 1.5', tier: 'best' },
  { provider: 'google', model: 'gemini-3.1-pro-preview', label: 'Gemini 3.1 Pro', tier: 'best', isDefault: true },
  { provider: 'google', model: 'gemini-3.5-flash', label: 'Gemini 3.5 Flash', tier: 'cheap', isDefault: true },
  { provider: 'deepseek', model: 'deepseek-reasoner', label: 'DeepSeek Reasoner', tier: 'best', isDefault: true },
  { provider: 'deepseek', model: 'deepseek-chat', label: 'DeepSeek Chat', tier: 'cheap', isDefault: true },
]

/** Words in the names of models that are small: what `auto` takes for cheap. */
const small = /(^|[-./:])(mini|nano|flash|haiku|lite|small|luna|instant|turbo|[1-9]b|deepseek-chat)([-./:]|$)/i

export function tierOf(provider: string, model: string): Tier {
  const known = catalogue.find((each) => each.provider === provider && each.model === model)
  return known?.tier ?? (small.test(model) ? 'cheap' : 'best')
}

export function defaultModel(provider: string, tier: Tier): string | undefined {
  return catalogue.find((each) => each.provider === provider && each.tier === tier && each.isDefault === true)?.model
}

/** Providers in the order the gateway asks them where nobody names one. */
export const providersInOrder: readonly string[] = [...new Set(catalogue.map(({ provider }) => provider))]
