// The stock `openai` package's realtime client, as a program of its own.

import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime'
import { Feed, run, type ScriptClient, spoken, type Target, weather } from './scenario.ts'

type Done = Extract<RealtimeServerEvent, { type: 'response.done' }>['response']

await run('openai', async ({ url, apiKey, agent }: Target): Promise<ScriptClient> => {
  const feed = new Feed<RealtimeServerEvent>()
  const client = new OpenAIRealtimeWS({ model: agent }, new OpenAI({ apiKey, baseURL: `${url}/v1` }))
  client.on('event', (event) => feed.push(event))
  client.on('error', (error) => {
    process.stdout.write(`error ${error.message}\n`)
  })
  await feed.next(0, (event) => (event.type === 'session.created' ? event : undefined))
  client.send({ type: 'session.update', session: { type: 'realtime', tools: [weather] } })
  await feed.next(0, (event) => (event.type === 'session.updated' ? event : undefined))
  const write = (text: string): void => {
    client.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    })
    client.send({ type: 'response.create' })
  }
  const answered = (mark: number): Promise<Done> =>
    feed.next(mark, (event) =>
      event.type === 'response.done' && wordsOf(event.response) !== '' ? event.response : undefined,
    )
  return {
    async ask(text) {
      const mark = feed.mark
      write(text)
      return wordsOf(await answered(mark))
    },
    async say(pcm) {
      const mark = feed.mark
      for await (const piece of spoken(pcm))
        client.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') })
      const words = wordsOf(await answered(mark))
      const deltas = feed.since(mark).map((event) => (event.type === 'response.output_audio.delta' ? event.delta : ''))
      return { words, ms: deltas.reduce((sum, delta) => sum + Buffer.from(delta, 'base64').length, 0) / 48 }
    },
    async call(question, output) {
      const mark = feed.mark
      write(question)
      const called = await feed.next(mark, (event) =>
        event.type === 'response.function_call_arguments.done' ? event : undefined,
      )
      await feed.next(mark, (event) => (event.type === 'response.done' ? event : undefined))
      const after = feed.mark
      client.send({
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id: called.call_id, output },
      })
      client.send({ type: 'response.create' })
      return wordsOf(await answered(after))
    },
    async interrupt(question) {
      const mark = feed.mark
      write(question)
      const { response_id: id } = await feed.next(mark, (event) =>
        event.type === 'response.output_audio.delta' ? event : undefined,
      )
      client.send({ type: 'response.cancel', response_id: id })
      return feed.next(mark, (event) =>
        event.type === 'response.done' && event.response.id === id ? event.response.status : undefined,
      )
    },
    close: () => client.close(),
  }
})

function wordsOf(response: Done): string {
  const items = response.output ?? []
  const parts = items.flatMap((item) => (item.type === 'message' && item.role === 'assistant' ? item.content : []))
  return parts.map((part) => part.transcript ?? part.text ?? '').join('')
}
