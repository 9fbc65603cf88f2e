import { expect, test } from 'vitest'
import { briefFor } from '../../../test/harness/brief.ts'
import { createSystemKnowledge } from '../../knowledge/system-knowledge.ts'
import { systemPrompt } from './prompt.ts'

const deps = { systemFor: createSystemKnowledge().systemFor }
const asks = (text: string) => ({ asked: { trusted: false, text } })

test('[S000-60] a sales question brings the paper that answers it into the prompt, of agents that look into them only', async () => {
  const assistant = briefFor({ instructions: 'You sell sofas.', systemKnowledge: true })
  const question = asks('The customer says it is too expensive. How do I answer?')
  const prompt = await systemPrompt(deps, assistant, question)
  expect(prompt).toMatch(/^You sell sofas\.\n\n<reference source="objections">/)
  expect(prompt).toContain('LAER')
  expect(await systemPrompt(deps, assistant, asks('Do you have a red sofa?'))).toBe('You sell sofas.')
  expect(await systemPrompt(deps, briefFor({ instructions: 'You sell sofas.' }), question)).toBe('You sell sofas.')
})
