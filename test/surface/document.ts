// The API document as the property test reads it, and each of its operations with what checks the answers.

import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'

const schema = z.record(z.string(), z.unknown())
export type Schema = z.output<typeof schema>

const parameter = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query']),
  required: z.boolean().optional(),
  schema,
})
const content = z.record(z.string(), z.looseObject({ schema: schema.optional() }))
const operation = z.looseObject({
  'x-websocket': z.unknown().optional(),
  parameters: z.array(z.union([parameter, z.object({ $ref: z.string() })])),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: content.optional() })),
})
const document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), schema) }),
})

export interface Operation {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly z.output<typeof parameter>[]
  /** By media type. */
  readonly bodies: Readonly<Record<string, Schema | undefined>>
  /** What of an answer is not as the document says; undefined: all is. */
  wrong(answer: { readonly status: number; readonly type: string; readonly text: string }): string | undefined
}

export interface Document {
  readonly operations: readonly Operation[]
  /** Stands beside a schema, so that its references lead somewhere. */
  readonly components: unknown
}

export function readDocument(json: unknown): Document {
  const { paths, components } = document.parse(json)
  const ajv = new Ajv2020({ strict: false, allErrors: false })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'doc', components }, 'doc')
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, each]): Operation[] => {
      if (each['x-websocket'] !== undefined) return []
      const parameters = each.parameters.filter((one): one is z.output<typeof parameter> => 'in' in one)
      const bodies = Object.entries(each.requestBody?.content ?? {}).map(
        ([type, media]) => [type, media.schema] as const,
      )
      return [
        {
          ...{ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, parameters },
          bodies: Object.fromEntries(bodies),
          wrong: checkOf(ajv, each.responses),
        },
      ]
    }),
  )
  return { operations, components }
}

function checkOf(ajv: Ajv2020, responses: z.output<typeof operation>['responses']): Operation['wrong'] {
  const compiled = new Map<Schema, ValidateFunction>()
  const checked = (of: Schema): ValidateFunction => {
    const text = JSON.stringify(of).replaceAll('"#/components', '"doc#/components')
    const known = compiled.get(of) ?? ajv.compile(schema.parse(JSON.parse(text)))
    compiled.set(of, known)
    return known
  }
  return ({ status, type, text }) => {
    const declared = responses[String(status)] ?? (status >= 400 ? responses.default : undefined)
    if (declared === undefined) return `${status} is not in the document`
    if (declared.content === undefined) return text === '' ? undefined : `${status} has a body and should have none`
    const media = Object.entries(declared.content).find(([each]) => type.startsWith(each))
    if (media === undefined) return `${status} came as ${type}`
    if (media[0] !== 'application/json' || media[1].schema === undefined) return undefined
    const check = checked(media[1].schema)
    return check(JSON.parse(text)) ? undefined : `${status} is not as declared: ${ajv.errorsText(check.errors)}`
  }
}
