// A conversation with the agent beside its form, streamed.

import { useCallback, useEffect, useRef, useState } from 'react'
import type { ChatReplyView } from '../../../../gateway/protocol/chat.ts'
import { inWords, problemFrom } from '../../../api/problem.ts'
import { readEvents } from '../../../api/read-events.ts'
import { useScope } from '../../../api/scope.tsx'

export interface TestTool {
  readonly callId: string
  readonly name: string
  readonly arguments: string
  readonly output?: string
  readonly ok?: boolean
}

export type TestLine =
  | { readonly is: 'asked'; readonly text: string }
  | {
      readonly is: 'answer'
      readonly text: string
      readonly tools: readonly TestTool[]
      /** The step that runs; undefined once it is over. */
      readonly step?: string | undefined
      readonly reply?: ChatReplyView
      readonly failed?: string
    }
type Answer = Extract<TestLine, { is: 'answer' }>

type StreamData =
  | { readonly type: 'step'; readonly name: string }
  | { readonly type: 'text'; readonly delta: string }
  | { readonly type: 'toolCall'; readonly callId: string; readonly name: string; readonly arguments: string }
  | { readonly type: 'toolResult'; readonly callId: string; readonly output: string; readonly ok: boolean }

export function useTestChat(slug: string) {
  const { api } = useScope()
  const [lines, setLines] = useState<readonly TestLine[]>([])
  const [busy, setBusy] = useState(false)
  const thread = useRef<string>(undefined)
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])
  const send = useCallback(
    async (text: string) => {
      const stop = new AbortController()
      running.current = stop
      const grow = (change: (answer: Answer) => Answer) => setLines((old) => grown(old, change))
      setLines((old) => [...old, { is: 'asked', text }, { is: 'answer', text: '', tools: [] }])
      setBusy(true)
      try {
        const response = await api.agents.chat(slug, { message: text, threadId: thread.current }, stop.signal)
        if (response.body === null) throw new Error('no body')
        for await (const { event, data } of readEvents(response.body)) {
          if (event === 'error') throw problemFrom(JSON.parse(data))
          if (event === 'done') {
            const reply: ChatReplyView = JSON.parse(data)
            thread.current = reply.conversationId
            grow((answer) => ({ ...answer, reply, step: undefined, text: reply.text }))
          } else grow((answer) => after(answer, JSON.parse(data)))
        }
      } catch (error) {
        const failed = stop.signal.aborted ? 'Stopped.' : inWords(error)
        grow((answer) => ({ ...answer, failed, step: undefined }))
      } finally {
        if (running.current === stop) setBusy(false)
      }
    },
    [api, slug],
  )
  const stop = useCallback(() => running.current?.abort(), [])
  const startAnew = useCallback(() => {
    running.current?.abort()
    thread.current = undefined
    setLines([])
    setBusy(false)
  }, [])
  return { lines, busy, send, stop, startAnew }
}

function grown(lines: readonly TestLine[], change: (answer: Answer) => Answer): readonly TestLine[] {
  const last = lines.at(-1)
  return last?.is === 'answer' ? [...lines.slice(0, -1), change(last)] : lines
}

function after(answer: Answer, event: StreamData): Answer {
  switch (event.type) {
    case 'step':
      return { ...answer, step: event.name }
    case 'text':
      return { ...answer, text: answer.text + event.delta }
    case 'toolCall':
      return { ...answer, tools: [...answer.tools, event] }
    case 'toolResult':
      return {
        ...answer,
        tools: answer.tools.map((tool) =>
          tool.callId === event.callId ? { ...tool, output: event.output, ok: event.ok } : tool,
        ),
      }
    default:
      return answer
  }
}
