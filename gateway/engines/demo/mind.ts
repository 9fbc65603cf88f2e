// What the demo does with what it was told: answers from the tenant's knowledge, asks the tenant's tools, or says that it
// does not know. No conversation is canned; only its own limits are in its own words.

import type { EngineTool } from '../engines.ts'
import { describeResult, joined, shortened } from './describe.ts'
import { chooseTool, type Intent } from './intent.ts'
import { Ordering } from './ordering.ts'
import { type Property, slotAnswered, spaced } from './slots.ts'
import { contentWords, stem, stemsOf } from './words.ts'

export interface DemoKnowledge {
  search(
    tenantId: string,
    text: string,
    limit: number,
  ): Promise<
    readonly { readonly title: string; readonly text: string; readonly score: number; readonly kind: string }[]
  >
}

/** Something the person did that was not answered yet. */
export type Heard =
  | { readonly kind: 'text'; readonly text: string }
  /** Speech that no recogniser put into words. */
  | { readonly kind: 'speech'; readonly ms: number }
  | { readonly kind: 'result'; readonly question: string; readonly output: string }

export type Thought =
  | { readonly do: 'say'; readonly text: string }
  | {
      readonly do: 'call'
      readonly tool: string
      readonly args: Readonly<Record<string, unknown>>
      readonly question: string
    }

interface Asking {
  readonly tool: EngineTool
  readonly args: Readonly<Record<string, unknown>>
  readonly missing: readonly { readonly name: string; readonly property: Property }[]
  readonly question: string
}

/** Share of the question's words that a passage must hold: to win against an unsure tool, and to be said at all. */
const goodMatch = 0.6
const weakMatch = 0.34
const notesKept = 8
const noteChars = 2_000
const passages = 3

export class Mind {
  readonly #tenantId: string
  readonly #knowledge: DemoKnowledge
  readonly #notes: string[] = []
  readonly #facts: { readonly title: string; readonly text: string }[] = []
  readonly #ordering = new Ordering()
  #tools: readonly EngineTool[]
  #asking: Asking | undefined
  #deaf = 0
  #lost = 0

  constructor(tenantId: string, knowledge: DemoKnowledge, tools: readonly EngineTool[]) {
    this.#tenantId = tenantId
    this.#knowledge = knowledge
    this.#tools = tools
  }

  tools(tools: readonly EngineTool[]): void {
    this.#tools = tools
    this.#asking = undefined
  }

  note(text: string): void {
    this.#notes.push(text.slice(0, noteChars))
    if (this.#notes.length > notesKept) this.#notes.shift()
  }

  /** A question the agent was given the answer to. */
  learn(question: string, answer: string): void {
    this.#facts.push({ title: question, text: answer })
  }

  async think(heard: readonly Heard[]): Promise<Thought> {
    const results = heard.filter((each) => each.kind === 'result')
    if (results.length > 0)
      return say(
        results.map((each) => this.#ordering.told(each.output) ?? describeResult(each.output, each.question)).join(' '),
      )
    const texts = heard.filter((each) => each.kind === 'text').map((each) => each.text)
    if (texts.length > 0) return this.#answer(texts.join(' '))
    const speech = heard.findLast((each) => each.kind === 'speech')
    return say(speech === undefined ? `I am listening. ${this.#offer()}` : this.#deafTo(speech.ms))
  }

  async #answer(text: string): Promise<Thought> {
    const sent = this.#ordering.sent(text)
    if (typeof sent === 'string') return say(sent)
    const step = sent ?? this.#ordering.heard(text, this.#tools)
    if (step !== undefined) return { do: 'call', ...step, question: text }
    const continued = this.#continue(text)
    if (continued !== undefined) return continued
    if (/^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening|day))\b[\s\p{P}]*(?:there)?[\s\p{P}]*$/iu.test(text)) {
      return say(`Hello! ${this.#offer()}`)
    }
    if (/^\W*(?:thanks?|thank you|cheers|great|perfect|ok|okay)\b.{0,20}$/i.test(text)) {
      return say('You are welcome. Ask me anything else whenever you like.')
    }
    if (/^\W*(?:good)?bye\b.{0,20}$/i.test(text)) return say('Goodbye, and thank you for trying this out.')
    const intent = chooseTool(text, this.#tools)
    const found = await this.#passage(text)
    const known = found !== undefined && found.match >= goodMatch
    if (intent !== undefined && (intent.certainty === 'sure' || !known)) return this.#use(intent, text)
    if (found !== undefined) return say(found.text)
    return say(this.#lostFor(text))
  }

  #use({ tool, slots }: Intent, question: string): Thought {
    if (slots.missing.length === 0) return { do: 'call', tool: tool.name, args: slots.args, question }
    this.#asking = { tool, args: slots.args, missing: slots.missing, question }
    return say(ask(slots.missing[0]))
  }

  /** The person may be answering a question for an argument. A new request drops it. */
  #continue(text: string): Thought | undefined {
    const asking = this.#asking
    const wanted = asking?.missing[0]
    this.#asking = undefined
    if (asking === undefined || wanted === undefined) return undefined
    if (/\b(?:cancel|never ?mind|forget it|stop)\b/i.test(text)) return say('All right, I left that.')
    const other = chooseTool(text, this.#tools)
    if (other?.certainty === 'sure' && other.tool !== asking.tool) return undefined
    const value = slotAnswered(wanted.name, wanted.property, text)
    if (value === undefined) return undefined
    const args = { ...asking.args, [wanted.name]: value }
    const missing = asking.missing.slice(1)
    if (missing.length === 0) return { do: 'call', tool: asking.tool.name, args, question: asking.question }
    this.#asking = { ...asking, args, missing }
    return say(ask(missing[0]))
  }

  async #passage(text: string): Promise<{ text: string; match: number } | undefined> {
    const wanted = [...new Set(contentWords(text).map(stem))]
    if (wanted.length === 0) return undefined
    const found = await this.#knowledge.search(this.#tenantId, text, passages)
    const all = [...this.#notes.map((note) => ({ title: '', text: note })), ...this.#facts, ...found]
    let best: { text: string; match: number } | undefined
    for (const passage of all) {
      const stems = stemsOf(`${passage.title} ${passage.text}`)
      const match = wanted.filter((word) => stems.has(word)).length / wanted.length
      if (match >= weakMatch && match > (best?.match ?? 0)) best = { text: passageText(passage), match }
    }
    return best
  }

  #offer(): string {
    const names = this.#tools.slice(0, 3).map((tool) => abilityOf(tool))
    if (names.length === 0) return 'Ask me something about this company in writing, and I will answer aloud.'
    return `I can answer questions from what I was given here, and I can ${joined(names)}.`
  }

  #deafTo(ms: number): string {
    const heard = duration(ms)
    const first = `I heard you speak for ${heard}, but this demo engine has no ears for words. Please type what you said, and I will answer aloud.`
    const again = [
      `That was ${heard} of speech. I cannot make out words without a speech engine, so please type it.`,
      `I noticed ${heard} of speech, yet no words: this demo only reads. Typing works.`,
      `You spoke for ${heard}. As long as no speech model is connected I can only answer what you type.`,
    ]
    const text = this.#deaf === 0 ? first : again[(this.#deaf - 1) % again.length]
    this.#deaf++
    return text ?? first
  }

  #lostFor(text: string): string {
    const topic = contentWords(text).slice(0, 4).join(' ')
    const about = topic === '' ? 'that' : `“${topic}”`
    const ways = [
      `I found nothing about ${about} in what I was given. ${this.#offer()}`,
      `I do not know anything about ${about}, and I would rather not guess. Could you put it differently?`,
      `There is nothing on ${about} in my documents. ${this.#offer()}`,
    ]
    return ways[this.#lost++ % ways.length] ?? about
  }
}

function say(text: string): Thought {
  return { do: 'say', text }
}

/** An FAQ's text is its answer; anything else is named, so that the sentence stands by itself. */
function passageText(passage: { readonly title: string; readonly text: string }): string {
  const text = shortened(passage.text)
  const question = passage.title === '' || /\?\s*$/.test(passage.title)
  const named = passage.text.toLowerCase().includes(passage.title.toLowerCase())
  return question || named ? text : `${passage.title}: ${text}`
}

function ask(missing: Asking['missing'][number] | undefined): string {
  const name = spaced(missing?.name ?? 'that')
  const options = (missing?.property.enum ?? []).map(String)
  if (options.length > 0) return `Which ${name}: ${joined(options.slice(0, 6)).replace(/ and ([^,]*)$/, ' or $1')}?`
  return `What is the ${name}, please?`
}

/** The first clause of a description says what a tool does, in the imperative as a rule. */
function abilityOf(tool: EngineTool): string {
  const clause = tool.description.split(/[.;:,(\n]| (?:by|and|for|with) /)[0]?.trim() ?? ''
  if (clause === '' || clause.length > 60) return spaced(tool.name)
  return clause.charAt(0).toLowerCase() + clause.slice(1)
}

function duration(ms: number): string {
  if (ms < 1_500) return 'about a second'
  return `about ${Math.round(ms / 1000)} seconds`
}
