// Projections: of find(), and of the $project stage in pipeline updates.
import { evalExprOn } from './expr.ts'
import { elementPredicate, type MatchOpts } from './match.ts'
import { MongoErr } from './mongo-error.ts'
import { withPath } from './path.ts'
import { truthy } from './predicate.ts'
import { type Doc, isNumeric, isPlain, num } from './value.ts'

type Evaluate = (doc: unknown) => unknown
type Evaluator = (expression: unknown) => Evaluate
type Mode = 'inclusion' | 'exclusion'
/** What becomes of a named field; undefined drops it. */
type Leaf = (value: unknown) => unknown
type Tree = Map<string, Leaf | Tree>

interface Plan {
  readonly evaluator: Evaluator
  /** Present in find(), where $slice and $elemMatch are projections of their own. */
  readonly find: MatchOpts | undefined
  mode: Mode | undefined
  withId: boolean | undefined
  readonly tree: Tree
  readonly computed: { parts: string[]; evaluate: Evaluate }[]
}

const keep: Leaf = (value) => value
const drop: Leaf = () => undefined

/** undefined when everything is wanted. Throws 31249, 31253, 31254 for contradictions, 238 for what is left out. */
export function projector(spec: unknown, options: MatchOpts): ((doc: Doc) => Doc) | undefined {
  if (spec === undefined || spec === null) return undefined
  if (!isPlain(spec)) throw new MongoErr(14, 'projection must be an object')
  if (!Object.keys(spec).length) return undefined
  return compileProjection(spec, (expression) => evalExprOn(expression, options.vars), options)
}

/** The $project stage. Throws 51272 for an empty specification, otherwise as `projector`. */
export function stageProjector(spec: Doc, evaluator: Evaluator): (doc: Doc) => Doc {
  if (!Object.keys(spec).length) throw new MongoErr(51272, 'projection specification must have at least one field')
  return compileProjection(spec, evaluator)
}

function compileProjection(spec: Doc, evaluator: Evaluator, find?: MatchOpts): (doc: Doc) => Doc {
  const plan: Plan = { evaluator, find, mode: undefined, withId: undefined, tree: new Map(), computed: [] }
  read(plan, spec, '')
  const { tree, withId, computed } = plan
  const mode = plan.mode ?? (withId && !tree.size ? 'inclusion' : 'exclusion')
  if (mode === 'inclusion' && withId !== false && !tree.has('_id')) tree.set('_id', keep)
  if (mode === 'exclusion' && withId === false) tree.set('_id', drop)
  return (doc) => {
    let result = prune(doc, tree, mode)
    for (const { parts, evaluate } of computed) {
      const next = withPath(result, parts, evaluate(doc))
      if (isPlain(next)) result = next
    }
    return result
  }
}

function read(plan: Plan, spec: Doc, prefix: string): void {
  for (const [key, value] of Object.entries(spec)) {
    const path = prefix + key
    if (path.split('.').includes('')) throw new MongoErr(40353, `FieldPath must not contain empty names: '${path}'`)
    if (path.split('.').includes('$'))
      throw new MongoErr(238, 'positional projection is not supported by the embedded store')
    if (typeof value === 'boolean' || isNumeric(value)) readFlag(plan, path, truthy(value))
    else if (isPlain(value)) readDocument(plan, path, value)
    else compute(plan, path, value)
  }
}

function readFlag(plan: Plan, path: string, wanted: boolean): void {
  if (path === '_id') {
    plan.withId = wanted
    return
  }
  setMode(plan, wanted ? 'inclusion' : 'exclusion', path)
  addLeaf(plan.tree, path, wanted ? keep : drop)
}

function readDocument(plan: Plan, path: string, value: Doc): void {
  const [operator] = Object.keys(value)
  if (operator === undefined) throw new MongoErr(51270, `An empty sub-projection is not a valid value: '${path}'`)
  if (!operator.startsWith('$')) {
    read(plan, value, `${path}.`)
    return
  }
  const slice = plan.find && operator === '$slice' ? sliceOf(value.$slice) : undefined
  if (slice) addLeaf(plan.tree, path, slice)
  else if (plan.find && operator === '$elemMatch') {
    setMode(plan, 'inclusion', path)
    addLeaf(plan.tree, path, firstMatch(value.$elemMatch, plan.find))
  } else compute(plan, path, value)
}

/** Computed fields count as inclusion; their parents stay, so that elements of arrays get the field too. */
function compute(plan: Plan, path: string, expression: unknown): void {
  setMode(plan, 'inclusion', path)
  addLeaf(plan.tree, path, drop)
  plan.computed.push({ parts: path.split('.'), evaluate: plan.evaluator(expression) })
}

function setMode(plan: Plan, mode: Mode, path: string): void {
  if (plan.mode && plan.mode !== mode)
    throw new MongoErr(
      mode === 'exclusion' ? 31254 : 31253,
      `Cannot do ${mode} on field ${path} in ${plan.mode} projection`,
    )
  plan.mode = mode
}

function addLeaf(tree: Tree, path: string, leaf: Leaf): void {
  const parts = path.split('.')
  const last = parts.pop() ?? ''
  let branch = tree
  for (const part of parts) {
    const next = branch.get(part) ?? new Map<string, Leaf | Tree>()
    if (typeof next === 'function') throw new MongoErr(31249, `Path collision at ${path}`)
    branch.set(part, next)
    branch = next
  }
  if (branch.has(last)) throw new MongoErr(31249, `Path collision at ${path}`)
  branch.set(last, leaf)
}

/** `n`, or `[skip, n]`; undefined for the aggregation operator of the same name. */
function sliceOf(given: unknown): Leaf | undefined {
  const [first, second] = Array.isArray(given) ? given : [given]
  if (!isNumeric(first)) return undefined
  const skip = num(first)
  if (!Array.isArray(given))
    return (value) => (Array.isArray(value) ? (skip < 0 ? value.slice(skip) : value.slice(0, skip)) : value)
  const limit = isNumeric(second) ? num(second) : 0
  if (limit <= 0) throw new MongoErr(28724, 'the limit of $slice must be positive')
  return (value) => {
    if (!Array.isArray(value)) return value
    const start = skip < 0 ? Math.max(0, value.length + skip) : skip
    return value.slice(start, start + limit)
  }
}

function firstMatch(given: unknown, options: MatchOpts): Leaf {
  if (!isPlain(given)) throw new MongoErr(2, '$elemMatch needs an Object')
  const matches = elementPredicate(given, options)
  return (value) => {
    const found = Array.isArray(value) ? value.findIndex(matches) : -1
    return Array.isArray(value) && found >= 0 ? [value[found]] : undefined
  }
}

/** Fields in the order of the document; inclusion drops what the tree does not name. */
function prune(doc: Doc, tree: Tree, mode: Mode): Doc {
  const kept = Object.entries(doc).flatMap(([key, value]): [string, unknown][] => {
    const node = tree.get(key)
    if (!node) return mode === 'exclusion' ? [[key, value]] : []
    const result = typeof node === 'function' ? node(value) : pruneBelow(value, node, mode)
    return result === undefined ? [] : [[key, result]]
  })
  return Object.fromEntries(kept)
}
function pruneBelow(value: unknown, tree: Tree, mode: Mode): unknown {
  if (isPlain(value)) return prune(value, tree, mode)
  if (!Array.isArray(value)) return mode === 'exclusion' ? value : undefined
  return value.map((item: unknown) => pruneBelow(item, tree, mode)).filter((item) => item !== undefined)
}
