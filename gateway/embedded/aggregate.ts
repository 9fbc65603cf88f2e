// Aggregation: leading $match, $sort, $skip and $limit become a query (so they use indexes), the other stages run in
// mingo. Matching, sorting and looking up inside a pipeline are ours, so that BSON order and indexes hold there too.

import { z } from 'zod'
import { countArg, docArg, docsArg, flagArg, hintArg, nameArg, parseArguments } from './arguments.ts'
import { type Call, collectionOf, command, variables } from './command.ts'
import { toBson } from './document.ts'
import { Aggregator, demote, evalExprOn, mingoOpts, wrap } from './expr.ts'
import { compile } from './match.ts'
import { checkSort } from './planner.ts'
import { find, type Query } from './query.ts'
import { countMatching, cursorOptions } from './read-commands.ts'
import { docOf } from './scan.ts'
import { sortCmp } from './update.ts'
import { clone, type Doc, equal, isPlain, MongoErr, num } from './value.ts'

const STAGES = new Set(
  '$match $sort $limit $skip $project $set $addFields $unset $group $lookup $unwind $count $facet'
    .split(' ')
    .concat(['$replaceRoot', '$replaceWith', '$sortByCount']),
)
const lookupArgs = z.strictObject({
  from: nameArg,
  as: z.string(),
  localField: z.string().optional(),
  foreignField: z.string().optional(),
  let: docArg.optional(),
  pipeline: docsArg.optional(),
})

/** Throws 40323 or 40324 for a stage that is malformed or not supported, nested pipelines included. */
function checkStages(pipeline: Doc[]): void {
  for (const stage of pipeline) {
    const [name, ...others] = Object.keys(stage)
    if (name === undefined || others.length)
      throw new MongoErr(40323, 'A pipeline stage specification object must contain exactly one field.')
    if (!STAGES.has(name)) throw new MongoErr(40324, `Unrecognized pipeline stage name: '${name}'`)
    const inside = isPlain(stage[name]) ? stage[name] : {}
    if (name === '$facet')
      for (const branch of Object.values(inside)) checkStages(parseArguments(docsArg, branch, '$facet'))
    if (name === '$lookup') checkStages(parseArguments(lookupArgs, inside, '$lookup').pipeline ?? [])
  }
}

/** The leading stages as a query, and the stages after them. */
export function split(pipeline: Doc[]): { query: Query; rest: Doc[] } {
  let at = 0
  const take = (name: string): unknown => {
    const stage = pipeline[at]
    if (!stage || !(name in stage)) return undefined
    at++
    return stage[name]
  }
  const filters: Doc[] = []
  for (let filter = take('$match'); filter !== undefined; filter = take('$match')) {
    if (!isPlain(filter)) throw new MongoErr(15959, 'the match filter must be an expression in an object')
    filters.push(filter)
  }
  const sort = take('$sort')
  if (sort !== undefined && !isPlain(sort)) throw new MongoErr(15973, 'the $sort key specification must be an object')
  const skip = num(take('$skip') ?? 0)
  const limit = take('$limit')
  if (limit !== undefined && !(num(limit) > 0)) throw new MongoErr(15958, 'the limit must be positive')
  if (!(skip >= 0)) throw new MongoErr(15956, 'invalid argument to $skip stage')
  const filter = filters.length > 1 ? { $and: filters } : (filters[0] ?? {})
  return { query: { filter, sort, skip, limit: num(limit ?? 0) }, rest: pipeline.slice(at) }
}

/** What the driver's countDocuments() sends: there is no need to decode anything the filter did not. */
const isCount = (rest: Doc[]): boolean => rest.length === 1 && equal(rest[0], { $group: { _id: 1, n: { $sum: 1 } } })

function* runPipeline(call: Call, name: string, request: { pipeline: Doc[]; query: Query }): Generator<Buffer> {
  const { query, rest } = split(request.pipeline)
  const { hint, vars = {} } = request.query
  const full = { ...query, hint, vars }
  if (isCount(rest)) {
    const n = countMatching(call, name, full)
    if (n) yield toBson({ _id: 1, n })
    return
  }
  const collection = collectionOf(call, name)
  const rows = collection ? find(call, collection, full) : []
  if (!rest.length) for (const row of rows) yield row.raw
  else {
    const documents = function* (): Generator<Doc> {
      for (const row of rows) yield docOf(row)
    }
    for (const doc of stages(call, documents(), { rest, vars })) yield toBson(doc)
  }
}

/** Runs stages one after another, each as lazily as it can. */
function stages(call: Call, source: Iterable<Doc>, { rest, vars }: { rest: Doc[]; vars: Doc }): Iterable<Doc> {
  const input = function* (): Generator<Doc> {
    for (const doc of source) yield plain(demote(doc))
  }
  return rest.reduce<Iterable<Doc>>((documents, stage) => {
    const [[name, given] = ['', null]] = Object.entries(plain(demote(stage)))
    return (OWN_STAGES[name] ?? inMingo(name))({ call, documents, given, vars })
  }, input())
}

interface Stage {
  readonly call: Call
  readonly documents: Iterable<Doc>
  readonly given: unknown
  readonly vars: Doc
}

const inMingo = (name: string) =>
  function* ({ documents, given, vars }: Stage): Generator<Doc> {
    try {
      const stream = new Aggregator([{ [name]: given }], mingoOpts(vars)).stream(documents)
      for (let next = stream.next(); !next.done; next = stream.next()) yield plain(next.value)
    } catch (error) {
      throw wrap(error)
    }
  }

/** Stages that are ours, so that BSON order, our operators and indexes hold inside a pipeline too. */
const OWN_STAGES: Record<string, (stage: Stage) => Iterable<Doc>> = {
  *$match({ documents, given, vars }) {
    const matches = compile(given, { vars })
    for (const doc of documents) if (matches(doc)) yield doc
  },
  *$sort({ documents, given }) {
    checkSort(plain(given))
    yield* [...documents].sort(sortCmp(plain(given)))
  },
  *$facet({ call, documents, given, vars }) {
    const all = [...documents]
    const result: Doc = {}
    for (const [name, branch] of Object.entries(plain(given)))
      result[name] = [...stages(call, all.map(clone), { rest: parseArguments(docsArg, branch, '$facet'), vars })]
    yield result
  },
  *$lookup({ call, documents, given, vars }) {
    const lookUp = lookup(call, parseArguments(lookupArgs, given, '$lookup'), vars)
    for (const doc of documents) yield lookUp(doc)
  },
}

function plain(value: unknown): Doc {
  if (!isPlain(value)) throw new MongoErr(2, 'an aggregation stage needs a document here')
  return value
}

function lookup(call: Call, spec: z.output<typeof lookupArgs>, vars: Doc): (doc: Doc) => Doc {
  const { from, as, localField, foreignField, pipeline = [] } = spec
  if ((localField === undefined) !== (foreignField === undefined) || (localField === undefined && !spec.pipeline))
    throw new MongoErr(9, '$lookup requires both localField and foreignField, or a pipeline')
  const bindings = Object.entries(spec.let ?? {}).map(([name, value]) => ({ name, evaluate: evalExprOn(value, vars) }))
  return (doc) => {
    const inner: Doc = { ...vars }
    for (const { name, evaluate } of bindings) inner[name] = evaluate(doc)
    const { query, rest } = split([...joinOn(doc, localField, foreignField), ...pipeline])
    const collection = collectionOf(call, from)
    const rows = collection ? find(call, collection, { ...query, vars: inner }) : []
    return withValue(doc, as.split('.'), [...stages(call, Array.from(rows, docOf), { rest, vars: inner })])
  }
}

function joinOn(doc: Doc, localField: string | undefined, foreignField: string | undefined): Doc[] {
  if (localField === undefined || foreignField === undefined) return []
  const local = valuesAt(doc, localField.split('.'))
  return [{ $match: { [foreignField]: Array.isArray(local) ? { $in: local } : { $eq: local ?? null } } }]
}

function valuesAt(value: unknown, path: string[]): unknown {
  const [head, ...tail] = path
  if (head === undefined) return value
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, path) ?? [])
  return isPlain(value) ? valuesAt(value[head], tail) : undefined
}
function withValue(doc: Doc, path: string[], value: unknown): Doc {
  const [head = '', ...tail] = path
  const inside = doc[head]
  return { ...doc, [head]: tail.length ? withValue(isPlain(inside) ? inside : {}, tail, value) : value }
}

const aggregate = command('aggregate', {
  args: z.strictObject({
    aggregate: nameArg,
    pipeline: docsArg,
    cursor: z.strictObject({ batchSize: countArg.optional() }),
    hint: hintArg.optional(),
    allowDiskUse: flagArg.optional(),
    let: docArg.optional(),
  }),
  inTransaction: true,
  run(call, { aggregate: name, pipeline, cursor, hint, let: definitions }) {
    checkStages(pipeline)
    const query = { filter: {}, hint, vars: variables(definitions) }
    // Checked here, for a collection that does not exist too.
    compile(split(pipeline).query.filter, { vars: query.vars })
    return call.cursors.open(runPipeline(call, name, { pipeline, query }), cursorOptions(call, name, cursor))
  },
})

export const aggregateCommands = [aggregate]
