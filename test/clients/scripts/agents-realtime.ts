// The stock `@openai/agents-realtime` package, as a program of its own.

import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime'
import { z } from 'zod'
import { Feed, run, type ScriptClient, spoken, type Target, weather } from './scenario.ts'

type Raw = { readonly type: string } & Readonly<Record<string, unknown>>

const done = z.object({
  response: z.object({
    status: z.string(),
    output: z.array(
      z.looseObject({ content: z.array(z.looseObject({ transcript: z.string().optional() })).optional() }),
    ),
  }),
})

await run('agents-realtime', async ({ url, apiKey, agent }: Target): Promise<ScriptClient> => {
  const feed = new Feed<Raw>()
  let result = ''
  const forecast = tool({
    name: weather.name,
    description: weather.description,
    parameters: z.object({ city: z.enum(['Paris', 'Oslo']) }),
    execute: async () => result,
  })
  const transport = new OpenAIRealtimeWebSocket({ url: `${url.replace('http', 'ws')}/v1/realtime?model=${agent}` })
  const session = new RealtimeSession(
    new RealtimeAgent({ name: 'Guide', instructions: 'Be brief.', tools: [forecast] }),
    { transport },
  )
  session.on('transport_event', (event) => feed.push(event))
  session.on('error', ({ error }) => {
    process.stdout.write(`error ${JSON.stringify(error)}\n`)
  })
  let heardBytes = 0
  session.on('audio', ({ data }) => {
    heardBytes += data.byteLength
  })
  await session.connect({ apiKey })
  const ended = (mark: number, words: RegExp = /./): Promise<string> =>
    feed.next(mark, (event) => {
      if (event.type !== 'response.done') return undefined
      const text = wordsOf(event)
      return words.test(text) ? text : undefined
    })
  return {
    ask(text) {
      const mark = feed.mark
      session.sendMessage(text)
      return ended(mark)
    },
    async say(pcm) {
      const mark = feed.mark
      heardBytes = 0
      for await (const piece of spoken(pcm)) session.sendAudio(new Uint8Array(piece).buffer)
      return { words: await ended(mark), ms: heardBytes / 48 }
    },
    call(question, output) {
      const mark = feed.mark
      result = output
      session.sendMessage(question)
      return ended(mark)
    },
    async interrupt(question) {
      const mark = feed.mark
      session.sendMessage(question)
      await feed.next(mark, (event) => (event.type === 'response.output_audio.delta' ? event : undefined))
      const after = feed.mark
      session.interrupt()
      return feed.next(after, (event) =>
        event.type === 'response.done' ? done.parse(event).response.status : undefined,
      )
    },
    close: () => session.close(),
  }
})

function wordsOf(event: Raw): string {
  const { output } = done.parse(event).response
  return output.flatMap(({ content = [] }) => content.map(({ transcript = '' }) => transcript)).join('')
}
