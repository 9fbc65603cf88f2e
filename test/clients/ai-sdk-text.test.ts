// The stock Vercel AI SDK (`ai` with `@ai-sdk/openai`) against the text doors, unmodified: both of its OpenAI models, whole and
// streamed, with a loop of tools.

import { createOpenAI } from '@ai-sdk/openai'
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTextPlace, type TextPlace, textModels } from './text-place.ts'

describe.each(textModels)('%s', (name) => {
  let place: TextPlace
  let slug = ''
  beforeAll(async () => {
    place = await openTextPlace(name)
    const { body } = await place.gateway.get('/v1/models')
    slug = JSON.parse(JSON.stringify(body)).data[0].id
  })
  afterAll(() => place[Symbol.asyncDispose]())

  const asked: string[] = []
  const tools = {
    search_weather: tool({
      description: 'Searches the weather of a place.',
      inputSchema: jsonSchema<{ query: string }>({
        type: 'object',
        properties: { query: { type: 'string' } },
        required: ['query'],
      }),
      execute: async ({ query }) => {
        asked.push(query)
        return { degrees: 21 }
      },
    }),
  }

  describe.each(['chat', 'responses'] as const)('%s', (api) => {
    const model = () => {
      const provider = createOpenAI({ apiKey: place.gateway.apiKey, baseURL: `${place.gateway.url}/v1` })
      return api === 'chat' ? provider.chat(slug) : provider.responses(slug)
    }

    test('generates text', async () => {
      const { text, finishReason, usage } = await generateText({
        model: model(),
        prompt: 'What are your opening hours?',
        maxRetries: 0,
      })
      expect(text).not.toBe('')
      expect(finishReason).toBe('stop')
      expect(usage.inputTokens).toBeGreaterThanOrEqual(place.tokens?.input ?? 0)
    })

    test('streams text', async () => {
      const result = streamText({ model: model(), prompt: 'What are your opening hours?', maxRetries: 0 })
      const deltas: string[] = []
      for await (const delta of result.textStream) deltas.push(delta)
      expect(deltas.length).toBeGreaterThan(1)
      expect(await result.finishReason).toBe('stop')
    })

    test('runs a loop of tools, whole and streamed', async () => {
      const options = {
        model: model(),
        prompt: 'Search the weather in Paris',
        tools,
        stopWhen: stepCountIs(4),
        maxRetries: 0,
      }
      const whole = await generateText(options)
      expect(whole.steps).toHaveLength(2)
      expect(whole.text).toMatch(/21/)
      const stream = streamText(options)
      const deltas: string[] = []
      for await (const delta of stream.textStream) deltas.push(delta)
      expect(deltas.join('')).toMatch(/21/)
      expect(asked.length).toBeGreaterThanOrEqual(2)
    })
  })
})
