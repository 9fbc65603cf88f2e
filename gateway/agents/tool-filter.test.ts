import { expect, test } from 'vitest'
import { toolsFor } from './tool-filter.ts'

const registry = new Map([
  ['search_products', true],
  ['product_stats', true],
  ['get_refund', false],
  ['create_order', false],
])
const open = { widget: 'all', api: 'all', console: 'all' } as const
const offered = (
  own: Partial<{ enabled: string[]; disabled: string[]; level: 'draft_only' | 'supervised' | 'autonomous' }>,
  tenant: {
    allowedTools?: { widget: string[] | 'all'; api: string[] | 'all'; console: string[] | 'all' }
    deniedTools?: string[]
  } = {},
  channel: 'widget' | 'voice' | 'whatsapp' | 'api' | 'console' = 'widget',
) =>
  toolsFor({
    tenant: { allowedTools: open, deniedTools: [], ...tenant },
    channel,
    config: {
      enabledTools: own.enabled ?? [
        'search_products',
        'create_order',
        'product_stats',
        'get_refund',
        'list_rooms',
        'send',
      ],
      disabledTools: own.disabled ?? [],
      autonomyLevel: own.level ?? 'autonomous',
    },
    isReadOnly: (name) => registry.get(name),
  })

const all = ['search_products', 'create_order', 'product_stats', 'get_refund', 'list_rooms', 'send']
const console = { ...open, widget: ['search_products', 'send'], console: ['get_refund'] }

test.each([
  ['everything enabled, where nothing says otherwise', {}, {}, 'widget', all],
  [
    'not what is disabled, though it is enabled',
    { disabled: ['send', 'search_products'] },
    {},
    'widget',
    all.slice(1, 5),
  ],
  ['not what the tenant denies', {}, { deniedTools: all.slice(1) }, 'widget', ['search_products']],
  ['what the tenant allows on a page', {}, { allowedTools: console }, 'widget', ['search_products', 'send']],
  ['the same for a phone', {}, { allowedTools: console }, 'voice', ['search_products', 'send']],
  ['the same for a messenger', {}, { allowedTools: console }, 'whatsapp', ['search_products', 'send']],
  ['a tool of the console in the console only', {}, { allowedTools: console }, 'console', ['get_refund']],
  ['all on the api, whose rule is its own', {}, { allowedTools: console }, 'api', all],
  ['nothing that is not enabled', { enabled: [] }, {}, 'widget', []],
  ['each once', { enabled: ['send', 'send'] }, {}, 'widget', ['send']],
  [
    'drafts only: what reads, by the registry, else by its name',
    { level: 'draft_only' },
    {},
    'widget',
    [all[0], all[2], all[4]],
  ],
  ['drafts only, and denied', { level: 'draft_only', disabled: ['list_rooms'] }, {}, 'widget', [all[0], all[2]]],
  ['supervised: the same tools as autonomous', { level: 'supervised' }, {}, 'widget', all],
] as const)('[S000-10] a model is offered %s', (_, own, tenant, channel, expected) => {
  const copy = JSON.parse(JSON.stringify({ own, tenant }))
  expect(offered(copy.own, copy.tenant, channel)).toEqual(expected)
})

test('[S000-10] a disabled tool is never offered, on no channel and at no level', () => {
  for (const channel of ['widget', 'voice', 'whatsapp', 'api', 'console'] as const)
    for (const level of ['draft_only', 'supervised', 'autonomous'] as const)
      for (const name of all)
        expect(offered({ enabled: [name, name], disabled: [name], level }, {}, channel)).toEqual([])
})
