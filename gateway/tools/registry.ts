// Names to tools: a tenant's own descriptors before what is built in.

import type { TenantId } from '../platform/ids.ts'
import { compileSchema, schemaIssue } from '../platform/json-schema.ts'
import { Problem } from '../platform/problem.ts'
import type { ToolDescriptor, toolStore } from './store.ts'
import { type BuiltinTool, type Executor, type JsonObject, type Prepared, withDefaults, withoutNulls } from './tool.ts'

/** A tool that can be called. */
export interface Tool extends ToolDescriptor {
  /** False: it comes with the gateway. */
  readonly own: boolean
  prepare(args: unknown): Prepared
}

/** What somebody describes. `kind`: of a built-in tool, under a name and with words of the tenant's own; or an executor's. */
export type NewTool = Pick<ToolDescriptor, 'name' | 'description' | 'kind'> & Partial<ToolDescriptor>

export interface Registry {
  /** In no order; names nobody described are missing. */
  named(tenantId: TenantId, names: readonly string[]): Promise<readonly Tool[]>
  /** The tenant's own, then what is built in, each by name. */
  list(tenantId: TenantId): Promise<readonly Tool[]>
  /** As it is stored. Throws `invalid`. */
  check(tenantId: TenantId, tool: NewTool): Promise<ToolDescriptor>
  /** What a stored descriptor does; undefined: nothing here runs it any more. */
  own(descriptor: ToolDescriptor): Tool | undefined
}

const namePattern = /^[a-zA-Z0-9_-]{1,64}$/
const schemaChars = 32 * 1024
/** Of arguments; others are not checked. */
export const schemaFormats = ['date', 'date-time', 'time', 'email', 'uri', 'uuid'] as const

export function createRegistry(deps: {
  readonly store: Pick<ReturnType<typeof toolStore.open>, 'named' | 'list'>
  readonly builtins: readonly BuiltinTool[]
  readonly executors: readonly Executor[]
}): Registry {
  const byName = new Map(deps.builtins.map((tool) => [tool.name, builtinTool(tool)]))
  const byKind = new Map(deps.builtins.map((tool) => [tool.kind, tool]))
  const executors = new Map(deps.executors.map((each) => [each.kind, each]))

  function own(descriptor: ToolDescriptor): Tool | undefined {
    const known = byKind.get(descriptor.kind)
    if (known !== undefined) return { ...descriptor, own: true, prepare: (args) => known.prepare(args) }
    const executor = executors.get(descriptor.kind)
    if (executor === undefined) return undefined
    return { ...descriptor, own: true, prepare: (args) => prepareFor(executor, descriptor, args) }
  }

  return {
    own,
    async named(tenantId, names) {
      const described = (await deps.store.named(tenantId, names)).flatMap((each) => own(each) ?? [])
      const has = new Set(described.map((each) => each.name))
      return [...described, ...names.flatMap((name) => (has.has(name) ? [] : (byName.get(name) ?? [])))]
    },
    async list(tenantId) {
      const described = (await deps.store.list(tenantId)).flatMap((each) => own(each) ?? [])
      const has = new Set(described.map((each) => each.name))
      const rest = [...byName.values()].filter((each) => !has.has(each.name))
      return [...described, ...rest.toSorted((a, b) => a.name.localeCompare(b.name))]
    },
    async check(tenantId, tool) {
      if (!namePattern.test(tool.name))
        throw new Problem('invalid', 'A name has letters, digits, dashes and underscores, 64 at most.')
      const known = byKind.get(tool.kind)
      if (known !== undefined) return aliasOf(known, tool)
      const executor = executors.get(tool.kind)
      if (executor === undefined) throw new Problem('invalid', `There is no kind of tool ${tool.kind.slice(0, 64)}.`)
      const parameters = checkedParameters(tool.parameters)
      const facts = withDefaults({ ...tool, category: tool.category ?? 'custom', readOnly: tool.readOnly ?? false })
      const spec = await executor.check(tool.spec ?? {}, tenantId, parameters)
      return { ...facts, parameters, spec, instructions: tool.instructions ?? '' }
    },
  }
}

function builtinTool(tool: BuiltinTool): Tool {
  return { ...tool, own: false, spec: {}, instructions: '', prepare: (args) => tool.prepare(args) }
}

/** What it does and what it takes stays the gateway's; a name, words and a price may be the tenant's. */
function aliasOf(known: BuiltinTool, tool: NewTool): ToolDescriptor {
  const { kind, category, readOnly, retry, timeoutMs, parameters } = known
  return {
    ...{ kind, category, readOnly, retry, timeoutMs, parameters, spec: {} },
    ...{ name: tool.name, description: tool.description },
    creditCostMicro: tool.creditCostMicro ?? known.creditCostMicro,
    instructions: tool.instructions ?? '',
  }
}

function checkedParameters(given: JsonObject | undefined): JsonObject {
  const parameters = given ?? { type: 'object', properties: {}, additionalProperties: false }
  if (parameters.type !== 'object') throw new Problem('invalid', 'The parameters are no schema of an object.')
  if (JSON.stringify(parameters).length > schemaChars)
    throw new Problem('invalid', `The parameters have more than ${schemaChars} characters.`)
  try {
    compileSchema(parameters, schemaFormats)
  } catch (error) {
    throw new Problem('invalid', `The parameters are no JSON Schema: ${String(error).slice(0, 200)}`)
  }
  return parameters
}

function prepareFor(executor: Executor, tool: ToolDescriptor, given: unknown): Prepared {
  const args = withoutNulls(given)
  if (!isObject(args)) return { is: 'invalid', issues: [{ path: '', message: 'not a JSON object' }] }
  const errors = compileSchema(tool.parameters, schemaFormats)(args)
  if (errors.length > 0) return { is: 'invalid', issues: errors.slice(0, 10).map(schemaIssue) }
  return { is: 'ready', args, run: (context) => executor.run(tool, args, context) }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
