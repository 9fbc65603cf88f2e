// A built-in tool whose arguments are described by a JSON Schema that is there already.

import { compileSchema, schemaIssue } from '../../platform/json-schema.ts'
import {
  type BuiltinTool,
  type JsonObject,
  type ToolContext,
  type ToolFacts,
  type ToolResult,
  withDefaults,
  withoutNulls,
} from '../tool.ts'

type Facts = Parameters<typeof withDefaults>[0]

export function schemaTool(
  facts: Facts & Partial<ToolFacts>,
  parameters: JsonObject,
  run: (args: JsonObject, context: ToolContext) => Promise<ToolResult>,
): BuiltinTool {
  return {
    ...withDefaults(facts),
    parameters,
    prepare(given) {
      const args = withoutNulls(given)
      const errors = compileSchema(parameters, [])(args)
      if (errors.length > 0) return { is: 'invalid', issues: errors.slice(0, 10).map(schemaIssue) }
      if (!isObject(args)) return { is: 'invalid', issues: [{ path: '', message: 'not a JSON object' }] }
      return { is: 'ready', args, run: (context) => run(args, context) }
    },
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
