// `show_…`: the model's tool of every visual. What it is given fits the visual's schema; where prices, stock or people are
// shown, they are read from the tenant's records and never taken from a model.

import type { Entities } from '../../entities/entities.ts'
import { Problem } from '../../platform/problem.ts'
import { inner } from '../../protocol/visuals/blocks.ts'
import type { JsonSchema, ShownVisual, Visual } from '../../protocol/visuals/visual.ts'
import { visuals } from '../../protocol/visuals/visuals.ts'
import { type BuiltinTool, type JsonObject, shows, type ToolContext } from '../tool.ts'
import { type Fill, recordFills } from './fills.ts'
import { schemaTool } from './schema-tool.ts'

export interface VisualDeps {
  readonly entities: Entities
  /** Hosts that links and pictures may lead to, with all below them. Empty: any. */
  readonly visualHosts: readonly string[]
}

export const facts = (visual: Visual) =>
  ({
    name: `show_${visual.name}`,
    kind: `visuals.${visual.name}`,
    category: 'visuals',
    description: visual.description,
    readOnly: true,
  }) as const

/** `but`: visuals with a tool of their own. */
export function visualTools(deps: VisualDeps, but: readonly string[], all = visuals): readonly BuiltinTool[] {
  const fills = recordFills(deps)
  return all.filter(({ name }) => !but.includes(name)).map((visual) => showing(deps, visual, fills[visual.name]))
}

function showing(deps: VisualDeps, visual: Visual, fill: Fill | undefined): BuiltinTool {
  return schemaTool(facts(visual), withId(visual.schema), async ({ id, ...args }, context) => {
    const data = fill === undefined ? args : await fill(args, context)
    const shown = { id: idFor(visual, id, context), visual: visual.name, data }
    checkHosts(visual, shown, deps.visualHosts)
    return { shown: shown.id, [shows]: shown }
  })
}

/** One that was shown before can be shown again, changed: a model knows its id from the first result. */
function withId(schema: JsonSchema): JsonObject {
  const id = {
    ...{ type: 'string', maxLength: 60 },
    description: 'Only to change one in place that you showed before: what its call answered as `shown`.',
  }
  return { ...schema, properties: { ...(isRecord(schema.properties) ? schema.properties : {}), id } }
}

const isRecord = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null

/** Another visual's place cannot be taken. */
function idFor({ name }: Visual, wanted: unknown, { key }: ToolContext): string {
  const own = `${name}-`
  return typeof wanted === 'string' && wanted.startsWith(own) ? wanted : `${own}${key.slice(0, 12)}`
}

/** What is drawn is what counts: an address that a visual makes itself is not the model's. */
export function checkHosts(visual: Visual, { data }: ShownVisual, hosts: readonly string[]): void {
  if (hosts.length === 0) return
  const given = JSON.stringify(data)
  for (const block of inner(visual.blocks(data, (english) => english))) {
    if ((block.is !== 'link' && block.is !== 'image') || !given.includes(new URL(block.url).host)) continue
    const { hostname } = new URL(block.url)
    if (!hosts.some((host) => hostname === host || hostname.endsWith(`.${host}`)))
      throw new Problem('forbidden', `Links and pictures of ${hostname.slice(0, 100)} are not shown here.`)
  }
}
