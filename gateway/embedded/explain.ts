// explain: which plan a query gets. IXSCAN means an index is used, COLLSCAN that every document is read.
import { hostname } from 'node:os'
import { z } from 'zod'
import { split } from './aggregate.ts'
import { docArg, docsArg, hintArg, nameArg, parseArguments } from './arguments.ts'
import { type Call, collectionOf, command, VERSION } from './command.ts'
import { compile } from './match.ts'
import { type IndexPlan, type Plan, plan } from './planner.ts'
import type { Query } from './query.ts'
import { docOf, scan } from './scan.ts'
import { type Doc, isPlain, MongoErr } from './value.ts'

const inner = z.object({
  filter: docArg.optional(),
  query: docArg.optional(),
  sort: docArg.optional(),
  hint: hintArg.optional(),
  pipeline: docsArg.optional(),
})
const statements = z.array(z.object({ q: docArg, hint: hintArg.optional() }))

function explained(target: Doc): { name: string; query: Query } {
  const [command = '', given] = Object.entries(target)[0] ?? []
  const name = parseArguments(nameArg, given, command)
  const { filter, query, sort, hint, pipeline } = parseArguments(inner, target, command)
  if (command === 'aggregate') return { name, query: { ...split(pipeline ?? []).query, hint } }
  if (command === 'update' || command === 'delete') {
    const [first] = parseArguments(statements, target[`${command}s`], command)
    return { name, query: { filter: first?.q ?? {}, hint: first?.hint } }
  }
  if (!['find', 'count', 'distinct', 'findAndModify'].includes(command))
    throw new MongoErr(59, `Explain failed due to unknown command: ${command}`)
  return { name, query: { filter: filter ?? query ?? {}, sort, hint } }
}

function indexStage({ index, reverse, ranges }: IndexPlan): Doc {
  return {
    stage: 'IXSCAN',
    keyPattern: index.spec.key,
    indexName: index.name,
    isMultiKey: index.multikey,
    isUnique: index.unique,
    direction: reverse ? 'backward' : 'forward',
    ranges: ranges.length,
  }
}
function stageOf(chosen: Plan): Doc {
  if (chosen.kind === 'scan') return { stage: 'COLLSCAN', direction: chosen.reverse ? 'backward' : 'forward' }
  if (chosen.kind === 'index') return { stage: 'FETCH', inputStage: indexStage(chosen) }
  return { stage: 'FETCH', inputStage: { stage: 'OR', inputStages: chosen.branches.map(indexStage) } }
}

/** Reads the whole plan once, without sort and limit, and counts. */
function execute(call: Call, found: { name: string; query: Query; chosen: Plan }, winningPlan: Doc): Doc {
  const collection = collectionOf(call, found.name)
  const matches = compile(found.query.filter)
  const startedAt = performance.now()
  let examined = 0
  let nReturned = 0
  for (const row of collection ? scan(call.connection, collection, found.chosen) : []) {
    examined++
    if (matches(docOf(row))) nReturned++
  }
  return {
    executionSuccess: true,
    nReturned,
    executionTimeMillis: Math.round(performance.now() - startedAt),
    totalKeysExamined: found.chosen.kind === 'scan' ? 0 : examined,
    totalDocsExamined: examined,
    executionStages: winningPlan,
  }
}

const explain = command('explain', {
  args: z.strictObject({
    explain: docArg,
    verbosity: z.enum(['queryPlanner', 'executionStats', 'allPlansExecution']).optional(),
  }),
  run(call, { explain: target, verbosity }) {
    const { name, query } = explained(target)
    const collection = collectionOf(call, name)
    const chosen = collection ? plan(collection, query) : undefined
    const stage = chosen ? stageOf(chosen) : { stage: 'EOF' }
    const unsorted = isPlain(query.sort) && chosen && !chosen.sorted
    const winningPlan = unsorted ? { stage: 'SORT', sortPattern: query.sort, inputStage: stage } : stage
    const withStats = chosen && verbosity !== 'queryPlanner'
    return {
      explainVersion: '1',
      queryPlanner: { namespace: `${call.db}.${name}`, parsedQuery: query.filter, winningPlan, rejectedPlans: [] },
      ...(withStats && { executionStats: execute(call, { name, query, chosen }, winningPlan) }),
      command: target,
      serverInfo: { host: hostname(), port: 0, version: VERSION, gitVersion: 'embedded' },
    }
  },
})

export const explainCommands = [explain]
