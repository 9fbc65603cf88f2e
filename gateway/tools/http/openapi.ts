// Descriptors from an OpenAPI 3 document: the same document gives the same drafts. Pure. The document is somebody else's:
// nothing in it is trusted to be where it should be.

import type { NewTool } from '../registry.ts'
import type { JsonObject } from '../tool.ts'
import { addressOf } from './spec.ts'

export interface Draft {
  readonly descriptor: NewTool
  /** What whoever asked still has to do or to know. */
  readonly notes: readonly string[]
}

/** More are nobody's to choose from. */
const mostDrafts = 100
const mostLevels = 6
const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

/** In the order of the document. `operation`: an operationId, or `GET /path`. */
export function draftsFrom(
  document: JsonObject,
  wanted: { readonly operation?: string; readonly url?: string },
): Draft[] {
  const paths = objectAt(document, 'paths')
  const drafts: Draft[] = []
  for (const [path, item] of Object.entries(paths)) {
    for (const method of methods) {
      const operation = objectAt(item, method)
      if (Object.keys(operation).length === 0) continue
      const names = [operation.operationId, `${method.toUpperCase()} ${path}`]
      if (wanted.operation !== undefined && !names.includes(wanted.operation)) continue
      if (drafts.length < mostDrafts) drafts.push(draftOf({ document, path, item, method, operation }, wanted.url))
    }
  }
  return drafts
}

interface Operation {
  readonly document: JsonObject
  readonly path: string
  readonly item: unknown
  readonly method: (typeof methods)[number]
  readonly operation: JsonObject
}

function draftOf(given: Operation, url: string | undefined): Draft {
  const { document, path, item, method, operation } = given
  const fields = new Fields()
  const parameters = [...listAt(item, 'parameters'), ...listAt(operation, 'parameters')].map((each) =>
    resolved(each, document),
  )
  for (const each of parameters) fields.add(each, schemaOf(each.schema, document))
  const body = resolved(objectAt(operation, 'requestBody'), document)
  const json = schemaOf(objectAt(objectAt(objectAt(body, 'content'), 'application/json'), 'schema'), document)
  const required = listAt(json, 'required')
  for (const [name, schema] of Object.entries(objectAt(json, 'properties')))
    fields.add({ in: 'body', name, required: required.includes(name) }, isObject(schema) ? schema : {})
  const auth = authOf(document, operation)
  const base = baseOf(document, url)
  const text = [operation.summary, operation.description].find((each) => typeof each === 'string' && each.trim() !== '')
  const isReading = method === 'get'
  const spec = {
    method: method.toUpperCase(),
    url: `${base ?? 'https://example.com'}${path.replace(/\{([^}]*)\}/g, (_, name: string) => `{${fields.name('path', name)}}`)}`,
    query: fields.template('query'),
    headers: fields.template('header'),
    ...(isReading || Object.keys(fields.template('body')).length === 0 ? {} : { body: fields.template('body') }),
    auth,
  }
  return {
    descriptor: {
      ...{
        name: toolName(operation.operationId ?? `${method}_${path}`),
        kind: 'http',
        category: 'custom',
        readOnly: isReading,
      },
      description: typeof text === 'string' ? text.trim().slice(0, 1_000) : `${method.toUpperCase()} ${path}`,
      parameters: fields.schema(),
      spec,
    },
    notes: [
      ...(base === undefined ? ['The document names no server: put its host into spec.url.'] : []),
      ...auth.map(({ secret }) => `Set the secret ${secret}.`),
    ],
  }
}

/** Names of arguments: plain words, each once. */
class Fields {
  readonly #all: {
    readonly place: string
    readonly given: string
    readonly name: string
    readonly schema: JsonObject
    readonly required: boolean
  }[] = []

  add(parameter: JsonObject, schema: JsonObject): void {
    const { in: place, name: given, required, description } = parameter
    if (typeof given !== 'string' || typeof place !== 'string' || place === 'cookie') return
    if (place === 'header' && /^(accept|content-type|authorization)$/i.test(given)) return
    const word = given.replace(/\W+/g, '_').replace(/^(\d)/, '_$1').slice(0, 60) || 'value'
    const name = this.#all.some((each) => each.name === word) ? `${place}_${word}`.slice(0, 64) : word
    const words =
      typeof description === 'string' && schema.description === undefined
        ? { description: description.slice(0, 300) }
        : {}
    this.#all.push({
      place,
      given,
      name,
      schema: { ...schema, ...words },
      required: required === true || place === 'path',
    })
  }

  name(place: string, given: string): string {
    return this.#all.find((each) => each.place === place && each.given === given)?.name ?? given
  }

  template(place: string): Record<string, string> {
    return Object.fromEntries(
      this.#all.filter((each) => each.place === place).map(({ given, name }) => [given, `{${name}}`]),
    )
  }

  schema(): JsonObject {
    const required = this.#all.filter((each) => each.required).map((each) => each.name)
    const properties = Object.fromEntries(this.#all.map(({ name, schema }) => [name, schema]))
    return { type: 'object', properties, ...(required.length === 0 ? {} : { required }), additionalProperties: false }
  }
}

/** As far as models and our check of arguments understand it. */
function schemaOf(given: unknown, document: JsonObject, level = 0): JsonObject {
  if (level > mostLevels) return {}
  const schema = resolved(given, document)
  const kept = Object.fromEntries(
    ['type', 'enum', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'required', 'default']
      .filter((name) => schema[name] !== undefined)
      .map((name) => [name, schema[name]]),
  )
  const { description, items, properties } = schema
  return {
    ...kept,
    ...(typeof description === 'string' ? { description: description.slice(0, 300) } : {}),
    ...(items === undefined ? {} : { items: schemaOf(items, document, level + 1) }),
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, each]) => [name, schemaOf(each, document, level + 1)]),
          ),
        }
      : {}),
  }
}

/** References within the document only, and not in circles. */
function resolved(given: unknown, document: JsonObject): JsonObject {
  let here = given
  for (let step = 0; step < mostLevels && isObject(here) && typeof here.$ref === 'string'; step += 1) {
    const path = here.$ref.startsWith('#/') ? here.$ref.slice(2).split('/') : []
    here = path.reduce<unknown>((at, part) => objectAt(at, part.replaceAll('~1', '/').replaceAll('~0', '~')), document)
  }
  return isObject(here) && here.$ref === undefined ? here : {}
}

/** A host is never an argument: variables of a server have their defaults. */
function baseOf(document: JsonObject, url: string | undefined): string | undefined {
  const [server] = listAt(document, 'servers')
  const variables = objectAt(server, 'variables')
  const template = isObject(server) && typeof server.url === 'string' ? server.url : ''
  const text = template.replace(/\{([^}]*)\}/g, (_, name: string) => String(objectAt(variables, name).default ?? ''))
  const base = (URL.parse(text, url) ?? URL.parse(url ?? ''))?.href.replace(/[?#].*$/, '').replace(/\/+$/, '')
  if (base === undefined) return undefined
  try {
    return addressOf(base).isInside ? undefined : base
  } catch {
    return undefined
  }
}

function authOf(
  document: JsonObject,
  operation: JsonObject,
): { type: string; secret: string; [field: string]: string }[] {
  const [first] = operation.security === undefined ? listAt(document, 'security') : listAt(operation, 'security')
  const schemes = objectAt(objectAt(document, 'components'), 'securitySchemes')
  return Object.keys(isObject(first) ? first : {}).flatMap((name) => {
    const scheme = resolved(schemes[name], document)
    const secret = name.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 64)
    if (scheme.type === 'http' && scheme.scheme === 'basic') return [{ type: 'basic', user: '', secret }]
    if (scheme.type === 'apiKey' && (scheme.in === 'header' || scheme.in === 'query'))
      return [{ type: scheme.in, name: String(scheme.name), secret }]
    return scheme.type === 'http' || scheme.type === 'oauth2' ? [{ type: 'bearer', secret }] : []
  })
}

export function toolName(text: unknown): string {
  const words = String(text)
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return words.toLowerCase().slice(0, 64) || 'tool'
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function objectAt(value: unknown, key: string): JsonObject {
  const found = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return isObject(found) ? found : {}
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const found = isObject(value) ? value[key] : undefined
  return Array.isArray(found) ? found : []
}
