// The stock `@ai-sdk/openai` package's realtime model, as a program of its own: the package says where to connect and how, and
// writes and reads the events; the socket is the application's.

import { createOpenAI } from '@ai-sdk/openai'
import type {
  Experimental_RealtimeModelV4ClientEvent as RealtimeClientEvent,
  Experimental_RealtimeModelV4ServerEvent as RealtimeServerEvent,
} from '@ai-sdk/provider'
import WebSocket from 'ws'
import { Feed, run, type ScriptClient, spoken, type Target, weather } from './scenario.ts'

await run('ai-sdk', async ({ url, apiKey, agent }: Target): Promise<ScriptClient> => {
  const model = createOpenAI({ apiKey, baseURL: `${url}/v1` }).experimental_realtime(agent, { api: 'realtime' })
  const feed = new Feed<RealtimeServerEvent>()
  const { url: address, headers = {} } = (await model.getServerWebSocketConfig?.()) ?? { url: '' }
  const socket = new WebSocket(address, { headers })
  socket.on('message', (data: Buffer) => {
    for (const event of [model.parseServerEvent(JSON.parse(data.toString('utf8')))].flat()) feed.push(event)
  })
  const send = async (event: RealtimeClientEvent): Promise<void> =>
    socket.send(JSON.stringify(await model.serializeClientEvent(event)))
  await feed.next(0, (event) => (event.type === 'session-created' ? event : undefined))
  await send({ type: 'session-update', config: { tools: [{ ...weather }] } })
  await feed.next(0, (event) => (event.type === 'session-updated' ? event : undefined))
  const write = async (text: string): Promise<void> => {
    await send({ type: 'conversation-item-create', item: { type: 'text-message', role: 'user', text } })
    await send({ type: 'response-create' })
  }
  /** Once its response is over as well: the next one may be asked for. */
  const answered = async (mark: number): Promise<string> => {
    const said = await feed.next(mark, (event) => (event.type === 'audio-transcript-done' ? event : undefined))
    await feed.next(mark, (event) =>
      event.type === 'response-done' && event.responseId === said.responseId ? event : undefined,
    )
    return said.transcript ?? ''
  }
  return {
    async ask(text) {
      const mark = feed.mark
      await write(text)
      return answered(mark)
    },
    async say(pcm) {
      const mark = feed.mark
      for await (const piece of spoken(pcm)) await send({ type: 'input-audio-append', audio: piece.toString('base64') })
      const words = await answered(mark)
      const deltas = feed.since(mark).map((event) => (event.type === 'audio-delta' ? event.delta : ''))
      return { words, ms: deltas.reduce((sum, delta) => sum + Buffer.from(delta, 'base64').length, 0) / 48 }
    },
    async call(question, output) {
      const mark = feed.mark
      await write(question)
      const { callId } = await feed.next(mark, (event) =>
        event.type === 'function-call-arguments-done' ? event : undefined,
      )
      await feed.next(mark, (event) => (event.type === 'response-done' ? event : undefined))
      const after = feed.mark
      await send({ type: 'conversation-item-create', item: { type: 'function-call-output', callId, output } })
      await send({ type: 'response-create' })
      return answered(after)
    },
    async interrupt(question) {
      const mark = feed.mark
      await write(question)
      const { responseId } = await feed.next(mark, (event) => (event.type === 'audio-delta' ? event : undefined))
      await send({ type: 'response-cancel' })
      return feed.next(mark, (event) =>
        event.type === 'response-done' && event.responseId === responseId ? event.status : undefined,
      )
    },
    close: () => socket.close(),
  }
})
