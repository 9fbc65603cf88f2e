// The API document as this page reads it: operations by resource, with references resolved.

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly multipleOf?: number
  readonly uniqueItems?: boolean
  readonly propertyNames?: Schema
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema: Schema
}

export interface Media {
  readonly schema?: Schema
  /** Of each item of a stream. */
  readonly 'x-item-schema'?: Schema
}

export type Content = Readonly<Record<string, Media>>
type SchemeName = 'apiKey' | 'visitor' | 'operator' | 'csrf'
type Security = Readonly<Partial<Record<SchemeName, readonly string[]>>>

interface RawOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly 'x-ability'?: string
  readonly 'x-websocket'?: { readonly subprotocols: readonly string[] }
  readonly security: readonly Security[]
  readonly parameters: readonly (Parameter | { readonly $ref: string })[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly parameters: Readonly<Record<string, Parameter>>
    readonly securitySchemes: Readonly<Record<string, { readonly description?: string }>>
  }
}

export interface Reply {
  readonly status: string
  readonly content: Content
}

export interface Operation {
  /** `GET-/v1/agents`: the anchor of the page, and of links to it. */
  readonly id: string
  readonly method: string
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly ability: string | undefined
  readonly subprotocols: readonly string[] | undefined
  readonly security: readonly Security[]
  readonly parameters: readonly Parameter[]
  readonly body: { readonly required: boolean; readonly content: Content } | undefined
  readonly replies: readonly Reply[]
  /** Statuses of refusals, `default` last. */
  readonly refusals: readonly string[]
  /** What a refusal looks like. */
  readonly refusal: Schema | undefined
  readonly streams: boolean
  /** What the filter looks in, in small letters. */
  readonly text: string
}

export interface Resource {
  readonly name: string
  readonly operations: readonly Operation[]
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

/** By resource, resources by name, operations by path, then as people think of them: read, make, change, delete. */
export function resourcesOf(document: ApiDocument): readonly Resource[] {
  const operations = Object.entries(document.paths).flatMap(([path, each]) =>
    Object.entries(each).map(([method, raw]) => operationOf(document, { method, path, raw })),
  )
  const byTag = Map.groupBy(operations, ({ tag }) => tag)
  return [...byTag]
    .map(([name, of]) => ({ name, operations: of.toSorted(byPath) }))
    .toSorted((a, b) => a.name.localeCompare(b.name))
}

function byPath(a: Operation, b: Operation): number {
  const place = ({ method }: Operation): number => methods.indexOf(method.toLowerCase())
  return a.path.localeCompare(b.path) || place(a) - place(b)
}

function operationOf(
  { components }: ApiDocument,
  { method, path, raw }: { method: string; path: string; raw: RawOperation },
): Operation {
  const replies: Reply[] = []
  const refusals: string[] = []
  for (const [status, { description, content = {} }] of Object.entries(raw.responses)) {
    if (description === 'Refused') refusals.push(status)
    else replies.push({ status, content })
  }
  const [tag = 'other'] = raw.tags
  const ability = raw['x-ability']
  const named = method.toUpperCase()
  return {
    ...{ id: `${named}-${path}`, method: named, path, tag, summary: raw.summary, ability, replies, refusals },
    subprotocols: raw['x-websocket']?.subprotocols,
    security: raw.security,
    parameters: raw.parameters.flatMap((each) => parameterOf(each, components.parameters)),
    body: raw.requestBody && { required: raw.requestBody.required === true, content: raw.requestBody.content },
    refusal: raw.responses.default?.content?.['application/json']?.schema,
    streams: replies.some(({ content }) => isStream(Object.keys(content))),
    text: [named, path, tag, raw.summary, ability ?? '', raw.operationId].join(' ').toLowerCase(),
  }
}

function parameterOf(
  each: Parameter | { readonly $ref: string },
  known: ApiDocument['components']['parameters'],
): readonly Parameter[] {
  if ('name' in each) return [each]
  const named = known[nameOf(each.$ref)]
  return named === undefined ? [] : [named]
}

function isStream(types: readonly string[]): boolean {
  return types.includes('text/event-stream')
}

/** `#/components/schemas/Agent` → `Agent` */
export function nameOf(ref: string): string {
  return ref.split('/').at(-1) ?? ref
}

export type Known = Readonly<Record<string, Schema>>

/** The schema itself, where a reference stood. An unknown name is anything. */
export function resolved(schema: Schema, known: Known): Schema {
  return schema.$ref === undefined ? schema : (known[nameOf(schema.$ref)] ?? {})
}

/** Operations in which every word of the wish stands. */
export function filtered(resources: readonly Resource[], wish: string): readonly Resource[] {
  const words = wish.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return resources
  return resources
    .map(({ name, operations }) => ({
      name,
      operations: operations.filter(({ text }) => words.every((word) => text.includes(word))),
    }))
    .filter(({ operations }) => operations.length > 0)
}

/** The operation that an address is about, if any. */
export function addressed(hash: string): string {
  try {
    return decodeURIComponent(hash.replace(/^#/, ''))
  } catch {
    return ''
  }
}
