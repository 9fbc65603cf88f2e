// From a question in words to one that can be executed: by a text model where there is one, else by simple words. What a model writes
// is checked as anything else a model writes; it is told what can be asked about, and none of the data.

import type { TextModels } from '../../engines/engines.ts'
import type { TenantId } from '../../platform/ids.ts'
import { type CatalogType, catalogText } from './catalog.ts'
import { type DataQuery, queryIn } from './query.ts'
import { readQuestion } from './simple-questions.ts'

export interface Asking {
  readonly tenantId: TenantId
  readonly question: string
  readonly catalog: readonly CatalogType[]
  /** `YYYY-MM-DD` */
  readonly today: string
  readonly signal: AbortSignal
}

/** Undefined: nobody understood it. */
export type Understand = (asking: Asking) => Promise<DataQuery | undefined>

const maxTokens = 400

export function createUnderstand(models: Pick<TextModels, 'chain' | 'ask' | 'failure'>): Understand {
  return async (asking) => {
    const written = await writtenBy(models, asking)
    return (
      (written === undefined ? undefined : queryIn(written)) ??
      readQuestion(asking.question, asking.catalog, asking.today)
    )
  }
}

async function writtenBy(
  models: Pick<TextModels, 'chain' | 'ask' | 'failure'>,
  { tenantId, question, catalog, today, signal }: Asking,
): Promise<string | undefined> {
  const wish = { provider: '', model: '', fallbacks: [], temperature: null, maxTokens: null, purpose: 'cheap' as const }
  const chain = models.chain(wish).filter((each) => !each.demo)
  if (chain.length === 0) return undefined
  const prompt = {
    ...{ tenantId, system: systemFor(catalog, today), tools: [], toolChoice: 'none' as const, maxTokens },
    messages: [{ role: 'user' as const, text: question }],
  }
  let written = ''
  try {
    for await (const piece of models.ask(chain, prompt, { signal })) if (piece.is === 'text') written += piece.delta
    return written
  } catch (error) {
    // Simple words may still do.
    if (models.failure(error) === undefined) throw error
    return undefined
  }
}

const systemFor = (catalog: readonly CatalogType[], today: string): string =>
  `Turn the question into one JSON object and write nothing else. Today is ${today}.
{"type": entity type, "where": {field: value or {"eq","ne","in","gt","gte","lt","lte": value}}, "sort": field or "-field",
"limit": 1 to 50, "aggregate": {"function": "count"|"sum"|"avg"|"min"|"max", "field": number field, "groupBy": field}}
All but "type" may be left out. Fields that end in Minor or Cents are integers in the smallest unit of a currency.
If the question cannot be answered from these, write {}.
${catalogText(catalog)}`
