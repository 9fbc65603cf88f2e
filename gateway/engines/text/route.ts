// Which kind of model a question needs, where the agent leaves it to the gateway. Pure: the same question gets the same kind.

import type { Tier } from './catalogue.ts'
import type { Question } from './text-model.ts'

export interface Route {
  readonly tier: Tier
  readonly why: string
}

/** Small models write these well. */
const commonLanguages = new Set(['de', 'en', 'es', 'fr', 'it', 'nl', 'pt'])
/** A page and a half of conversation, and a question of several sentences. */
const longHistoryChars = 6_000
const longQuestionChars = 400
const thinking =
  /\b(why|compare|difference|explain|calculate|analy[sz]e|summari[sz]e|plan|step by step|warum|vergleich\w*|erklär\w*|berechne\w*|pourquoi|expli\w+|por qu[eé]|compara\w*)\b/i

/** Two signs make it a question for the better model. */
const enough = 2

export function routeOf(question: Question): Route {
  const signs = [...signsOf(question)]
  const weight = signs.reduce((sum, sign) => sum + sign.weight, 0)
  const tier = weight >= enough ? 'best' : 'cheap'
  const told = signs.map(({ what }) => what).join(', ')
  return { tier, why: `${tier} model: ${told === '' ? 'a short question without tools' : told}` }
}

function* signsOf({ text, tools, language, historyChars }: Question): Generator<{ what: string; weight: number }> {
  if (tools > 0) yield { what: `${tools} ${tools === 1 ? 'tool' : 'tools'}`, weight: tools > 5 ? 2 : 1 }
  if (text.length > longQuestionChars) yield { what: `${text.length} characters`, weight: 2 }
  if ((text.match(/[?？]/g)?.length ?? 0) > 1) yield { what: 'more than one question', weight: 1 }
  if (thinking.test(text)) yield { what: 'asks for reasons', weight: 2 }
  if (historyChars > longHistoryChars) yield { what: 'a long conversation', weight: 1 }
  const [base = ''] = language.toLowerCase().split('-')
  if (!commonLanguages.has(base)) yield { what: `language ${language}`, weight: 2 }
}
