// From the conversation to a prompt that every model takes: one system text, first and last a message of the person.

import type { EngineTool } from '../engines.ts'
import { goOn } from '../text/go-on.ts'
import type { Message, Prompt } from '../text/model.ts'
import type { Conversation, Said } from './conversation.ts'

export interface Ask {
  readonly instructions: string
  readonly tools: readonly EngineTool[]
  readonly toolChoice: Prompt['toolChoice']
  readonly maxTokens?: number
  readonly spoken: boolean
  readonly language: string
  /** The answer broke off after these words: what follows is wanted. Empty: an answer from its beginning. */
  readonly after: string
}

const aloud =
  'You are talking with a person: what you write is spoken aloud. Answer in short sentences, as people speak, usually one to ' +
  'three of them. Write no lists, headings, emphasis, code, links or pictures, and write numbers and units as they are said.'
const nothingYet = '(The person is there and has not said anything yet.)'
const goOnNow = '(Go on.)'

/** `mid`: the answer under way, left out of the conversation because `after` tells it. */
export function promptOf(conversation: Conversation, ask: Ask, mid?: Said): Prompt {
  const known = new Set(ask.tools.map(({ name }) => name))
  const all = conversation.messages(known, mid)
  const from = all.findIndex(({ role }) => role !== 'agent')
  const opening = from < 0 ? all : all.slice(0, from)
  return {
    system: systemOf(conversation, ask, opening),
    messages: withPerson(from < 0 ? [] : all.slice(from), ask.after),
    tools: ask.tools,
    toolChoice: ask.toolChoice,
    ...(ask.maxTokens === undefined ? {} : { maxTokens: ask.maxTokens }),
  }
}

function systemOf(conversation: Conversation, ask: Ask, opening: readonly Message[]): string {
  const said = opening.map((message) => (message.role === 'agent' ? message.text : '')).join(' ')
  const parts = [
    ask.instructions,
    ask.spoken ? aloud : '',
    ask.language === '' ? '' : `The person's language is ${ask.language} unless they speak another one.`,
    ...conversation.notes.map((note) => `Good to know: ${note}`),
    ...conversation.running.map(
      (name) => `The tool ${name} is still working: its result comes later, do not call it again for this.`,
    ),
    said === '' ? '' : `You opened the conversation with: ${JSON.stringify(said)}`,
    ask.after === '' ? '' : goOn(ask.after),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Models answer a person: a conversation that ends with the agent's own words would be continued or refused. */
function withPerson(messages: readonly Message[], after: string): readonly Message[] {
  const last = messages.at(-1)
  if (last === undefined) return [{ role: 'user', text: after === '' ? nothingYet : goOnNow }]
  const first = messages[0]?.role === 'call' ? [{ role: 'user' as const, text: nothingYet }] : []
  return [...first, ...messages, ...(last.role === 'agent' ? [{ role: 'user' as const, text: goOnNow }] : [])]
}
