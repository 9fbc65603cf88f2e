// What a person sends from a visual of this conversation: a message of theirs, and what it makes happen, once per item id.

import { idOf } from '../platform/ids.ts'
import type { ParleySubmitRefused } from '../protocol/realtime.ts'
import type { Turn } from '../protocol/turn.ts'
import type { SubmitValues } from '../protocol/visuals/blocks.ts'
import { readSubmit } from '../protocol/visuals/submit.ts'
import { blocksOf, type ShownVisual } from '../protocol/visuals/visual.ts'
import { visuals } from '../protocol/visuals/visuals.ts'
import type { ToolOutput } from '../tools/tools.ts'
import type { Leg, Submit } from './leg.ts'
import type { Recorder } from './recorder.ts'
import type { ToolCall } from './toolbox.ts'

export interface SubmitsOptions {
  readonly recorder: Pick<Recorder, 'begin' | 'turns'>
  /** Of the conversation, before this session. */
  readonly history: readonly Turn[]
  readonly leg: Pick<Leg, 'tell'>
  readonly toolbox: { owns(name: string): boolean; perform(call: ToolCall): Promise<ToolOutput> }
}

/** As the transcript has it, and as the model reads it. */
export interface SubmittedText {
  readonly text: string
  readonly forModel: string
}

export class Submits {
  readonly #options: SubmitsOptions

  constructor(options: SubmitsOptions) {
    this.#options = options
  }

  /** Undefined: it was not taken, and the client was told why. `onTaken`: before anything is done. */
  async take({ itemId, id, values: given }: Submit, onTaken: () => void): Promise<SubmittedText | undefined> {
    const shown = this.#shown(id)
    if (shown === undefined) return this.#refuse({ item_id: itemId, id, code: 'unknown_visual', issues: [] })
    const read = readSubmit(blocksOf(shown, visuals), given)
    if (read.is === 'unfit') return this.#refuse({ item_id: itemId, id, code: 'invalid', issues: read.issues })
    const { text, values } = read
    this.#options.recorder.begin(itemId, 'user', false)
    onTaken()
    const result = await this.#perform(shown, itemId, values)
    const { fileBase64: _bytes, ...told } = values
    const sent = {
      sentFrom: shown.visual,
      id,
      values: told,
      ...(result === undefined ? {} : { result: JSON.parse(result.output) }),
    }
    return { text, forModel: `${text}\n\n${JSON.stringify(sent)}` }
  }

  /** As it was last told to this person, in this session or before it. */
  #shown(id: string): ShownVisual | undefined {
    const { recorder, history } = this.#options
    return [...history, ...recorder.turns].findLast(({ visual }) => visual?.id === id)?.visual
  }

  /** By the tool that the agent itself would call, and by its rules. */
  #perform(shown: ShownVisual, itemId: string, values: SubmitValues): Promise<ToolOutput> | undefined {
    const { toolbox } = this.#options
    const name = visuals.find((each) => each.name === shown.visual)?.submitTool
    if (name === undefined || !toolbox.owns(name)) return undefined
    const callId = idOf('call', itemId)
    return toolbox.perform({ callId, name, arguments: JSON.stringify({ ...values, form: shown.id }) })
  }

  #refuse(refusal: Omit<ParleySubmitRefused, 'type' | 'event_id'>): undefined {
    this.#options.leg.tell?.({ type: 'parley.visual.refused', ...refusal })
  }
}
