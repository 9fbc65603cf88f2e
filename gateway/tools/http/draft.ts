// A descriptor from a sentence: by a text model where there is one, else of the address that the sentence names. What a model
// writes is checked as anything else that a model writes, and sent nowhere: somebody looks at it first.

import { z } from 'zod'
import type { TextModels } from '../../engines/engines.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import { type Draft, toolName } from './openapi.ts'
import { parseSpec } from './spec.ts'

export type DraftModels = Pick<TextModels, 'chain' | 'ask' | 'failure'>

export interface Wanted {
  readonly tenantId: TenantId
  readonly sentence: string
  /** Where the service is, if it was told apart from the sentence. */
  readonly url: string | undefined
  readonly signal: AbortSignal
}

const maxTokens = 1_500
/** The second time it is told what was wrong. */
const tries = 2

/** Throws `unsupported` without a model and without an address, `invalid` when the model wrote nothing that fits. */
export async function draftFromSentence(models: DraftModels, wanted: Wanted): Promise<Draft> {
  const wish = { provider: '', model: '', fallbacks: [], temperature: null, maxTokens: null, purpose: 'best' as const }
  const chain = models.chain(wish).filter((each) => !each.demo)
  const address = wanted.url ?? /https:\/\/[^\s"'<>]+[^\s"'<>.,;!?)]/.exec(wanted.sentence)?.[0]
  if (chain.length === 0) return fromAddress(wanted.sentence, address)
  let wrong = ''
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const text = `${wanted.sentence}${address === undefined ? '' : `\nAddress: ${address}`}${wrong}`
    const prompt = {
      ...{ tenantId: wanted.tenantId, system: instructions, tools: [], toolChoice: 'none' as const, maxTokens },
      messages: [{ role: 'user' as const, text }],
    }
    let written = ''
    for await (const piece of models.ask(chain, prompt, { signal: wanted.signal }))
      if (piece.is === 'text') written += piece.delta
    const draft = draftIn(written)
    if ('draft' in draft) return draft.draft
    wrong = `\nYour last answer was wrong: ${draft.why}`
  }
  throw new Problem('invalid', `The model wrote no descriptor that fits: ${wrong.slice(0, 300)}`)
}

/** No more than the address says: its query is what can be asked. */
function fromAddress(sentence: string, address: string | undefined): Draft {
  const url = URL.parse(address ?? '')
  if (url === null)
    throw new Problem(
      'unsupported',
      'No language model is set up here. Name the address (https://…), or send an OpenAPI document.',
    )
  const names = [...url.searchParams.keys()].filter((name) => /^[A-Za-z_]\w{0,63}$/.test(name))
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  const spec = parseSpec({
    url: `${url.origin}${url.pathname.replace(/[{}]/g, '')}`,
    query: Object.fromEntries(
      [...url.searchParams].map(([name, value]) => [name, names.includes(name) ? `{${name}}` : value]),
    ),
  })
  const words = sentence
    .replace(/https?:\/\/\S+/g, '')
    .trim()
    .slice(0, 1_000)
  return {
    descriptor: {
      ...{ name: toolName(words.split(/\s+/).slice(0, 4).join(' ')), kind: 'http', category: 'custom', readOnly: true },
      description: words === '' ? `Asks ${url.host}.` : words,
      parameters: { type: 'object', properties, additionalProperties: false },
      spec: { ...spec },
    },
    notes: ['No language model is set up here: this is made of the address alone.'],
  }
}

const written = z.object({
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  description: z.string().trim().min(1).max(1_000),
  instructions: z.string().max(4_000).default(''),
  readOnly: z.boolean().default(false),
  parameters: z.record(z.string(), z.unknown()).refine((each) => each.type === 'object', 'a schema of an object'),
  spec: z.record(z.string(), z.unknown()),
})

function draftIn(text: string): { readonly draft: Draft } | { readonly why: string } {
  const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)
  try {
    const { spec: given, ...facts } = written.parse(JSON.parse(json))
    const spec = parseSpec(given, facts.parameters)
    const notes = spec.auth.map(({ secret }) => `Set the secret ${secret}.`)
    return { draft: { descriptor: { ...facts, kind: 'http', category: 'custom', spec: { ...spec } }, notes } }
  } catch (error) {
    if (error instanceof z.ZodError)
      return { why: error.issues.map((each) => `${each.path.join('.')}: ${each.message}`).join('; ') }
    return { why: error instanceof Error ? error.message : String(error) }
  }
}

const instructions = `Describe one HTTP request as a tool, as one JSON object, and write nothing else:
{"name": "snake_case", "description": what it does and when to use it, "readOnly": true only if it changes nothing,
"parameters": JSON Schema of an object with a property per argument,
"spec": {"method": "GET"|"POST"|"PUT"|"PATCH"|"DELETE", "url": "https://host/path/{argument}", "query": {name: "{argument}"},
"headers": {name: text}, "body": JSON with "{argument}" where an argument goes,
"auth": [{"type":"bearer","secret": name} | {"type":"header","name": header,"secret": name} | {"type":"query","name": parameter,"secret": name} | {"type":"basic","user": text,"secret": name}],
"response": {"pick": {name: JSON pointer}, "items": {"at": JSON pointer of a list, "pick": {name: JSON pointer in an entry}, "limit": number}}}}
Arguments never stand in the host. A secret is named, never written. Leave out what is not needed.`
