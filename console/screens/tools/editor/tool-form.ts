// A tool over HTTP while somebody writes it: the descriptor as fields, and back. Pure.

import type { ToolView } from '../../../../gateway/protocol/tools.ts'
import { isObject, type JsonObject } from '../../../ui/json.ts'
import { type ParameterRow, rowsOf, schemaOf } from './parameter-rows.ts'

export interface Pair {
  readonly name: string
  readonly value: string
}

export type AuthForm =
  | { readonly type: 'bearer'; readonly secret: string }
  | { readonly type: 'basic'; readonly user: string; readonly secret: string }
  | { readonly type: 'header'; readonly name: string; readonly prefix: string; readonly secret: string }
  | { readonly type: 'query'; readonly name: string; readonly secret: string }

/** Rows while a table can carry them, else the schema itself. */
export type ParametersForm =
  | { readonly is: 'rows'; readonly rows: readonly ParameterRow[] }
  | { readonly is: 'schema'; readonly schema: JsonObject }

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export interface ToolForm {
  readonly name: string
  readonly description: string
  readonly instructions: string
  readonly category: string
  readonly readOnly: boolean
  /** What is done about a call whose answer was lost. */
  readonly retry: ToolView['retry']
  readonly creditCostMicro: number | null
  readonly timeoutMs: number
  readonly parameters: ParametersForm
  readonly method: (typeof methods)[number]
  readonly url: string
  readonly query: readonly Pair[]
  readonly headers: readonly Pair[]
  /** JSON in which texts such as `{name}` stand for arguments; undefined: none. */
  readonly body: unknown
  readonly bodyType: 'json' | 'form'
  readonly auth: readonly AuthForm[]
  readonly idempotencyHeader: string | null
  readonly pick: readonly Pair[]
  /** A list of the answer; null: none is taken. */
  readonly items: { readonly at: string; readonly pick: readonly Pair[]; readonly limit: number } | null
}

export const emptyForm: ToolForm = {
  ...{ name: '', description: '', instructions: '', category: 'custom', readOnly: true, retry: 'again' },
  ...{ creditCostMicro: null, timeoutMs: 10_000, parameters: { is: 'rows', rows: [] } },
  ...{ method: 'GET', url: '', query: [], headers: [], body: undefined, bodyType: 'json', auth: [] },
  ...{ idempotencyHeader: 'Idempotency-Key', pick: [], items: null },
}

/** What only looks something up may be asked again. */
export function usualRetry(readOnly: boolean): ToolView['retry'] {
  return readOnly ? 'again' : 'unknown'
}

/** What a descriptor needs to be read into the form; the gateway's defaults stand for what is missing. */
export type Written = Pick<ToolView, 'name' | 'description'> & Partial<ToolView>

export function formOf(tool: Written): ToolForm {
  const spec = tool.spec ?? {}
  const schema = tool.parameters ?? {}
  const rows = rowsOf(schema)
  const response = isObject(spec.response) ? spec.response : {}
  return {
    ...{ name: tool.name, description: tool.description, instructions: tool.instructions ?? '' },
    category: tool.category ?? emptyForm.category,
    readOnly: tool.readOnly ?? false,
    retry: tool.retry ?? usualRetry(tool.readOnly ?? false),
    creditCostMicro: tool.creditCostMicro ?? null,
    timeoutMs: tool.timeoutMs ?? emptyForm.timeoutMs,
    parameters: rows === undefined ? { is: 'schema', schema } : { is: 'rows', rows },
    method: methods.find((each) => each === spec.method) ?? 'GET',
    url: textOf(spec.url),
    query: pairsOf(spec.query),
    headers: pairsOf(spec.headers),
    body: spec.body,
    bodyType: spec.bodyType === 'form' ? 'form' : 'json',
    auth: Array.isArray(spec.auth) ? spec.auth.flatMap(authOf) : [],
    idempotencyHeader:
      spec.idempotencyHeader === null ? null : textOf(spec.idempotencyHeader) || emptyForm.idempotencyHeader,
    pick: pairsOf(response.pick),
    items: isObject(response.items) ? itemsOf(response.items) : null,
  }
}

/** The body of `PUT /v1/tools/:name`. */
export function toolOf(form: ToolForm): JsonObject {
  const { description, instructions, category, readOnly, retry, creditCostMicro, timeoutMs, items } = form
  const { method, url, body, bodyType, auth, idempotencyHeader } = form
  const changes = method !== 'GET'
  return {
    ...{ kind: 'http', description: description.trim(), instructions, category, readOnly, retry },
    ...{ creditCostMicro, timeoutMs },
    parameters: parametersOf(form),
    spec: {
      ...{ method, url: url.trim(), query: recordOf(form.query), headers: recordOf(form.headers) },
      ...(changes && body !== undefined ? { body, bodyType } : {}),
      ...{ auth, idempotencyHeader },
      response: {
        ...(form.pick.length === 0 ? {} : { pick: recordOf(form.pick) }),
        ...(items === null
          ? {}
          : {
              items: {
                ...{ at: items.at, limit: items.limit },
                ...(items.pick.length === 0 ? {} : { pick: recordOf(items.pick) }),
              },
            }),
      },
    },
  }
}

export function parametersOf({ parameters }: Pick<ToolForm, 'parameters'>): JsonObject {
  return parameters.is === 'rows' ? schemaOf(parameters.rows) : parameters.schema
}

const placeholder = /\{([A-Za-z_]\w{0,63})\}/g

/** Arguments that the request names and nobody has described. */
export function undescribed(form: ToolForm): readonly string[] {
  const { properties } = parametersOf(form)
  const known = new Set(isObject(properties) ? Object.keys(properties) : [])
  const texts = [form.url, ...form.query.map(({ value }) => value), ...form.headers.map(({ value }) => value)]
  const all = [...texts, JSON.stringify(form.body ?? '')].flatMap((text) =>
    [...text.matchAll(placeholder)].map(([, name = '']) => name),
  )
  return [...new Set(all)].filter((name) => !known.has(name))
}

function pairsOf(value: unknown): readonly Pair[] {
  return isObject(value) ? Object.entries(value).map(([name, each]) => ({ name, value: String(each) })) : []
}

/** Without rows that nobody filled in. */
function recordOf(pairs: readonly Pair[]): JsonObject {
  return Object.fromEntries(pairs.filter(({ name }) => name !== '').map(({ name, value }) => [name, value]))
}

function itemsOf(items: JsonObject): NonNullable<ToolForm['items']> {
  return {
    at: textOf(items.at),
    pick: pairsOf(items.pick),
    limit: typeof items.limit === 'number' ? items.limit : 20,
  }
}

function authOf(value: unknown): AuthForm[] {
  if (!isObject(value)) return []
  const [secret, name, user] = [textOf(value.secret), textOf(value.name), textOf(value.user)]
  switch (value.type) {
    case 'bearer':
      return [{ type: 'bearer', secret }]
    case 'basic':
      return [{ type: 'basic', user, secret }]
    case 'header':
      return [{ type: 'header', name, prefix: textOf(value.prefix), secret }]
    case 'query':
      return [{ type: 'query', name, secret }]
    default:
      return []
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
