// An e-mail written by a text model from what the agent says it is about.

import { z } from 'zod'
import type { TextModels } from '../../engines/engines.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'

export interface Draft {
  readonly subject: string
  readonly text: string
  /** `provider:model` */
  readonly draftedBy: string
}

export interface Drafting {
  readonly tenantId: TenantId
  /** What it is to say, with every fact that belongs in it. */
  readonly instructions: string
  readonly tone?: string | undefined
  /** BCP 47. */
  readonly language?: string | undefined
  readonly recipientName?: string | undefined
  readonly signal: AbortSignal
}

export type Write = (drafting: Drafting) => Promise<Draft>

const system = `You write one e-mail for a business. Write only what the instructions say: no facts, promises, prices, dates, links or
placeholders that are not in them. Plain text, short paragraphs, no markup. The first line is "Subject: " and the subject; then
an empty line; then the e-mail and nothing else.`

const maxTokens = 1_200
const shape = z.object({ subject: z.string().min(1).max(200), text: z.string().min(1).max(20_000) })

/** `unsupported` without a model, `engine_refused` when none answers or what one wrote is no e-mail. */
export function createWrite(models: TextModels): Write {
  return async ({ tenantId, instructions, tone, language, recipientName, signal }) => {
    const wish = {
      provider: '',
      model: '',
      fallbacks: [],
      temperature: null,
      maxTokens: null,
      purpose: 'best' as const,
    }
    const chain = models.chain(wish).filter((each) => !each.demo)
    if (chain.length === 0)
      throw new Problem('unsupported', 'No text model is there to write it: send it word for word.')
    const lines = [
      ...(recipientName === undefined ? [] : [`To: ${recipientName}`]),
      ...(tone === undefined ? [] : [`Tone: ${tone}`]),
      ...(language === undefined ? [] : [`Language: ${language}`]),
      instructions,
    ]
    const prompt = {
      ...{ tenantId, system, tools: [], toolChoice: 'none' as const, maxTokens },
      messages: [{ role: 'user' as const, text: lines.join('\n') }],
    }
    let written = ''
    let draftedBy = ''
    try {
      const asking = (model: { readonly name: string }): void => {
        draftedBy = model.name
      }
      for await (const piece of models.ask(chain, prompt, { signal, asking }))
        if (piece.is === 'text') written += piece.delta
    } catch (error) {
      if (models.failure(error) === undefined) throw error
      throw new Problem('engine_refused', 'The text model does not answer.', { cause: error })
    }
    const draft = draftOf(written)
    if (draft === undefined) throw new Problem('engine_refused', 'The text model wrote no e-mail.')
    return { ...draft, draftedBy }
  }
}

/** Undefined: no e-mail. */
export function draftOf(written: string): Pick<Draft, 'subject' | 'text'> | undefined {
  const [, subject, text] = /^\s*(?:\*\*)?subject:(?:\*\*)?[ \t]*([^\n]+)\n+([\s\S]+)$/i.exec(written) ?? []
  return shape.safeParse({ subject: subject?.trim(), text: text?.trim() }).data
}
