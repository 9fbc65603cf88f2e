// Updates written as a pipeline: each stage maps the document to the next one.
import { evalExprOn } from './expr.ts'
import { MongoErr } from './mongo-error.ts'
import { withPath } from './path.ts'
import { stageProjector } from './project.ts'
import { type Doc, isPlain } from './value.ts'

type Stage = (doc: Doc) => Doc
type Evaluator = (expression: unknown) => (doc: unknown) => unknown

/** Compiles a pipeline; $$NOW is the same in all stages. Throws 40323, 40324, or what its expressions throw. */
export function compilePipeline(stages: readonly unknown[], vars?: Doc): Stage {
  const now = new Date()
  const evaluator: Evaluator = (expression) => evalExprOn(expression, vars, now)
  const compiled = stages.map((stage) => compileStage(stage, evaluator))
  return (doc) => compiled.reduce((current, stage) => stage(current), doc)
}

function compileStage(stage: unknown, evaluator: Evaluator): Stage {
  const [entry, second] = isPlain(stage) ? Object.entries(stage) : []
  if (!entry || second)
    throw new MongoErr(40323, 'A pipeline stage specification object must contain exactly one field.')
  const [name, argument] = entry
  if (name === '$set' || name === '$addFields') return setStage(needObject(name, argument), evaluator)
  if (name === '$unset') return unsetStage(argument, evaluator)
  if (name === '$project') return stageProjector(needObject(name, argument), evaluator)
  if (name === '$replaceWith') return replaceStage(argument, evaluator)
  if (name === '$replaceRoot') return replaceStage(needObject(name, argument).newRoot, evaluator)
  throw new MongoErr(40324, `Unrecognized pipeline stage name, or not allowed within an update: '${name}'`)
}
function needObject(name: string, argument: unknown): Doc {
  if (isPlain(argument)) return argument
  throw new MongoErr(40272, `${name} specification stage must be an object`)
}

/** Nested documents without operators set their fields one by one and keep the siblings, as Mongo does. */
function assignments(given: Doc, prefix: string): [path: string, expression: unknown][] {
  return Object.entries(given).flatMap(([key, value]): [string, unknown][] => {
    const path = prefix + key
    if (key.startsWith('$')) throw new MongoErr(16410, `FieldPath field names may not start with '$': '${path}'`)
    if (path.split('.').includes('')) throw new MongoErr(40353, `FieldPath must not contain empty names: '${path}'`)
    const nested = isPlain(value) && Object.keys(value).length > 0 && !Object.keys(value)[0]?.startsWith('$')
    return nested ? assignments(value, `${path}.`) : [[path, value]]
  })
}
function setStage(given: Doc, evaluator: Evaluator): Stage {
  const fields = assignments(given, '').map(([path, expression]) => ({
    parts: path.split('.'),
    evaluate: evaluator(expression),
  }))
  return (doc) => {
    let result = doc
    // Every expression sees the document as it was before the stage.
    for (const { parts, evaluate } of fields) {
      const next = withPath(result, parts, evaluate(doc))
      if (isPlain(next)) result = next
    }
    return result
  }
}
function unsetStage(argument: unknown, evaluator: Evaluator): Stage {
  const paths = Array.isArray(argument) ? argument : [argument]
  if (!paths.length || !paths.every((path) => typeof path === 'string' && path !== ''))
    throw new MongoErr(31002, '$unset specification must be a string or an array of non-empty strings')
  return stageProjector(Object.fromEntries(paths.map((path) => [path, 0])), evaluator)
}
function replaceStage(expression: unknown, evaluator: Evaluator): Stage {
  const evaluate = evaluator(expression)
  return (doc) => {
    const next = evaluate(doc)
    if (isPlain(next)) return next
    throw new MongoErr(40228, "'newRoot' expression must evaluate to an object")
  }
}
