import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemDocuments } from './system/registry.ts'
import { createSystemKnowledge, documentFor } from './system-knowledge.ts'

const system = createSystemKnowledge()

test('[S000-60] the registry lists 15 documents on marketing, sales and strategy, each with its text', async () => {
  expect(system.list()).toHaveLength(15)
  expect(new Set(systemDocuments.map((each) => each.slug)).size).toBe(15)
  expect(new Set(systemDocuments.map((each) => each.category))).toEqual(new Set(['marketing', 'sales', 'strategy']))
  for (const { slug, keywords } of system.list()) {
    const text = (await system.document(slug))?.text ?? ''
    const words = text.split(/\s+/).length
    expect(words, slug).toBeGreaterThan(600)
    expect(words, slug).toBeLessThan(1_300)
    const headings = [...text.matchAll(/^## (.+)$/gm)].map((each) => each[1])
    expect(headings, slug).toEqual([
      ...['When to use it', 'The framework', 'Steps', 'Worked example', 'In a conversation', 'Pitfalls', 'Sources'],
    ])
    expect(keywords.length, slug).toBeGreaterThan(5)
  }
  expect(await system.document('nothing')).toBeUndefined()
})

test.each([
  ['The customer says we are too expensive. What do I say?', 'objections'],
  ['How do I qualify a lead before I spend a week on it?', 'qualification'],
  ['Which questions should I ask in a discovery call?', 'discovery-spin'],
  ['A client wants a discount of 15 %, how should I negotiate?', 'negotiation'],
  ['They were ghosted after our offer, how do we follow up?', 'follow-up-and-closing'],
  ['Should we raise our prices next year?', 'pricing-strategy'],
  ['Our churn is 7 %; is CAC of 700 dollars all right?', 'unit-economics'],
  ['Make a SWOT of our hotel.', 'swot-to-actions'],
  ['Can you explain Porter’s five forces?', 'five-forces'],
  ['Help me write OKRs for the next quarter', 'goals-okr'],
  ['We need a value proposition and a tagline', 'positioning'],
  ['Why is our conversion rate so low?', 'funnel-metrics'],
  ['Write an ad with AIDA', 'copy-aida-pas'],
  ['Who is our target audience?', 'segments-and-jobs'],
  ['Plan a drip campaign for people who asked for an offer', 'email-nurture'],
])('[S000-60] a question finds the document that answers it: %s', async (question, slug) => {
  expect(documentFor(question)?.slug).toBe(slug)
  const part = await system.systemFor(question)
  expect(part).toMatch(new RegExp(`^<reference source="${slug}">`))
  expect(part?.length).toBeGreaterThan(500)
  expect(part?.length).toBeLessThan(6_000)
  expect(part).not.toContain('## Sources')
  expect((await system.search(question, 3)).map((each) => each.slug)).toContain(slug)
})

test.each([
  'Do you have a red sofa under 500?',
  'What time is check-in?',
  'hello',
  'Where is my order?',
  'Is breakfast included in the price?',
  'Who speaks at 10?',
  'How much are the tickets?',
  'Can I cancel my booking?',
  '',
])('a question about the business itself is left alone: %s', async (question) => {
  expect(await system.systemFor(question)).toBeUndefined()
})

test('a passage is a part of its document under its heading', async () => {
  const [first] = await system.search('BATNA and reservation point', 1)
  expect(first).toMatchObject({ slug: 'negotiation', title: 'Negotiating' })
  const text = await readFile(join(import.meta.dirname, 'system', 'negotiation.md'), 'utf8')
  expect(text).toContain(first?.text)
})
