// The variable MCP_SERVERS: servers that run beside the gateway. Pure.

import { z } from 'zod'
import type { OwnProcess } from './process-place.ts'

const list = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and hyphens'),
      command: z.string().min(1),
      args: z.array(z.string()).default([]),
      env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
      tenants: z.array(z.string()).optional(),
    }),
  )
  .max(50)

export function readProcesses(text: string | undefined): {
  readonly processes: readonly OwnProcess[]
  readonly problems: readonly string[]
} {
  if (text === undefined) return { processes: [], problems: [] }
  const parsed = list.safeParse(jsonOf(text))
  if (!parsed.success) {
    const at = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the list'}: ${message}`)
    return {
      processes: [],
      problems: [`MCP_SERVERS: a JSON list of {name, command, args, env, tenants}; ${at.join('; ')}`],
    }
  }
  const names = parsed.data.map((each) => each.name)
  const twice = names.filter((name, i) => names.indexOf(name) !== i)
  const problems = twice.map((name) => `MCP_SERVERS: ${name} is there twice`)
  return { processes: parsed.data.map(({ tenants, ...rest }) => ({ ...rest, tenants })), problems }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
