// A conversation with the agent beside its form, streamed.

import { useCallback, useEffect, useRef, useState } from 'react'
import type { ChatReplyView } from '../../../../gateway/protocol/chat.ts'
import { inWords, problemFrom } from '../../../api/problem.ts'
import { readEvents } from '../../../api/read-events.ts'
import { useScope } from '../../../api/scope.tsx'

export interface TestTool {
  readonly callId: string
  readonly name: string
  /** Undefined while it runs. */
  readonly ok?: boolean
}

export type TestLine =
  | { readonly is: 'asked'; readonly text: string }
  | {
      readonly is: 'answer'
      readonly text: string
      readonly tools: readonly TestTool[]
      readonly reply?: ChatReplyView
      readonly failed?: string
    }
type Answer = Extract<TestLine, { is: 'answer' }>

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
            grow((answer) => ({ ...answer, reply, text: reply.text }))
          } else grow((answer) => after(answer, event, JSON.parse(data)))
        }
      } catch (error) {
        const failed = stop.signal.aborted ? 'Stopped.' : inWords(error)
        grow((answer) => ({ ...answer, failed }))
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

interface StreamData {
  readonly delta: string
  readonly callId: string
  readonly name: string
  readonly ok: boolean
}

function after(answer: Answer, event: string, data: StreamData): Answer {
  if (event === 'text') return { ...answer, text: answer.text + data.delta }
  if (event === 'tool_call') return { ...answer, tools: [...answer.tools, { callId: data.callId, name: data.name }] }
  if (event !== 'tool_result') return answer
  const tools = answer.tools.map((tool) => (tool.callId === data.callId ? { ...tool, ok: data.ok } : tool))
  return { ...answer, tools }
}
