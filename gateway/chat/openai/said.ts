// A client's own history, whichever of the original's APIs it came by, and what chat is asked with. Pure.

import type { Call, Message } from '../../engines/engines.ts'
import { wrong } from './refusal.ts'

export interface SaidCall {
  readonly id: string
  readonly name: string
  /** JSON as the client sent it. */
  readonly arguments: string
}

export type Said =
  | { readonly is: 'instructions'; readonly text: string; readonly param: string }
  | { readonly is: 'user'; readonly text: string }
  | { readonly is: 'agent'; readonly text: string; readonly calls: readonly SaidCall[] }
  | { readonly is: 'output'; readonly callId: string; readonly output: string; readonly param: string }

export interface Question {
  /** Oldest first, without the last message of the person. */
  readonly history: readonly Message[]
  /** Empty: the results of the client's own tools are answered. */
  readonly text: string
  /** System and developer messages, in one text. */
  readonly instructions: string
  /** The first of them. */
  readonly instructionsParam: string | undefined
}

/** `param`: names the list for what is wrong with it. */
export function questionOf(all: readonly Said[], param: string): Question {
  const told = all.filter((each) => each.is === 'instructions')
  const messages = messagesOf(all)
  const last = messages.at(-1)
  if (last === undefined) throw wrong(param, 'There is no message to answer')
  if (last.role === 'agent')
    throw wrong(param, 'The last message is the agent’s own: end with one of the user or with a result of a tool')
  return {
    history: last.role === 'user' ? messages.slice(0, -1) : messages,
    text: last.role === 'user' ? last.text : '',
    instructions: told.map(({ text }) => text).join('\n\n'),
    instructionsParam: told[0]?.param,
  }
}

/** Neighbours of one side are one message; calls come with their outputs. */
function messagesOf(all: readonly Said[]): readonly Message[] {
  const messages: Message[] = []
  const waiting = new Map<string, Call>()
  for (const each of all) {
    if (each.is === 'instructions') continue
    if (each.is === 'output') {
      const call = waiting.get(each.callId)
      if (call === undefined) throw wrong(each.param, `No call waits for the result ${each.callId}`)
      waiting.delete(each.callId)
      messages.push({ role: 'call', call, output: each.output })
      continue
    }
    if (waiting.size > 0) break
    if (each.is === 'user') add(messages, 'user', each.text)
    else {
      if (each.text !== '') add(messages, 'agent', each.text)
      for (const call of each.calls)
        waiting.set(call.id, { callId: call.id, name: call.name, arguments: call.arguments })
    }
  }
  const [missing] = waiting.keys()
  if (missing !== undefined) throw wrong('messages', `The call ${missing} has no result`)
  return messages
}

function add(messages: Message[], role: 'user' | 'agent', text: string): void {
  const last = messages.at(-1)
  if (last?.role === role) messages[messages.length - 1] = { role, text: `${last.text}\n${text}` }
  else messages.push({ role, text })
}
