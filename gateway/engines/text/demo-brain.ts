// The built-in brain as a text model: no key, no network. It knows what it is shown, so nothing is kept between answers.

import { z } from 'zod'
import { chooseTool } from '../demo/intent.ts'
import { type DemoKnowledge, type Heard, Mind, type Thought } from '../demo/mind.ts'
import { fillSlots } from '../demo/slots.ts'
import type { Message } from './model.ts'
import type { TextModel, TextPrompt } from './text-model.ts'

export type BrainKnowledge = DemoKnowledge

/** How the brain asks for what a tool still needs: such a question belongs to the request before it. */
const asksForMore = /^(What is the .+, please\?|Which .+: .+\?)$/

export function createDemoBrain(knowledge: BrainKnowledge): TextModel {
  return {
    provider: 'demo',
    model: 'demo',
    name: 'demo',
    demo: true,
    async *answer(prompt, { signal, tally }) {
      const thought = await think(prompt, knowledge)
      signal.throwIfAborted()
      // Nobody counts tokens here, and nobody charges for them.
      tally.told({ input: 0, cached: 0, output: 0 })
      tally.ended()
      if (thought.do === 'say') {
        for (const word of thought.text.match(/\s*\S+/gu) ?? []) yield { is: 'text', delta: word }
      } else {
        yield { is: 'call', call: { callId: '', name: thought.tool, arguments: JSON.stringify(thought.args) } }
      }
      yield { is: 'end', reason: 'stop' }
    },
  }
}

async function think(prompt: TextPrompt, knowledge: BrainKnowledge): Promise<Thought> {
  const { messages, toolChoice } = prompt
  const tools = toolChoice === 'none' ? [] : prompt.tools
  const mind = new Mind(prompt.tenantId, knowledge, tools)
  for (const [q, a] of factsIn(prompt.system)) mind.learn(q, a)
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const question = textOf(messages[last])
  const results = messages
    .slice(last + 1)
    .flatMap((each): Heard[] => (each.role === 'call' ? [{ kind: 'result', question, output: each.output }] : []))
  if (results.length > 0) return mind.think(results)
  if (toolChoice === 'required') return required(question, prompt)
  let thought: Thought = { do: 'say', text: '' }
  for (const text of [...requestBefore(messages, last), question]) thought = await mind.think([{ kind: 'text', text }])
  return thought
}

/** The person's words since the request that the agent's questions are about. */
function requestBefore(messages: readonly Message[], last: number): readonly string[] {
  const texts: string[] = []
  for (let at = last - 1; at > 0; at -= 2) {
    const asked = messages[at]
    const before = messages[at - 1]
    if (asked?.role !== 'agent' || before?.role !== 'user' || !asksForMore.test(asked.text)) break
    texts.unshift(before.text)
  }
  return texts
}

function required(question: string, { tools }: TextPrompt): Thought {
  const tool = chooseTool(question, tools)?.tool ?? tools[0]
  if (tool === undefined) return { do: 'say', text: '' }
  return { do: 'call', tool: tool.name, args: fillSlots(tool.parameters, question).args, question }
}

const fact = z.object({ question: z.string().min(1), answer: z.string().min(1) })

/** Questions and answers that the prompt was given, each a line of JSON. */
function factsIn(system: string): readonly (readonly [question: string, answer: string])[] {
  return [...system.matchAll(/^\{"question":.*\}$/gm)].flatMap(([line]) => {
    try {
      const { question, answer } = fact.parse(JSON.parse(line))
      // Such a question is not repeated with its answer.
      return [[/[?？]\s*$/.test(question) ? question : `${question}?`, answer] as const]
    } catch {
      return []
    }
  })
}

function textOf(message: Message | undefined): string {
  return message?.role === 'user' ? message.text : ''
}
