// Items that a client adds to the conversation: whatever a person says is a turn, the rest is for the tenant's own key.

import type { CommandAnswer } from '../../engines/engines.ts'
import { newId } from '../../platform/ids.ts'
import { limits } from '../../protocol/realtime.ts'
import type { LegPort } from '../../sessions/sessions.ts'
import { type ClientEvent, messageText } from './client-event.ts'
import type { ClientItem, MessageItem } from './item-fields.ts'
import type { RealtimeLeg } from './realtime-leg.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { forbiddenBy, unsupported } from './session-part.ts'

export interface ClientItemsNeeds {
  readonly leg: RealtimeLeg
  readonly port: LegPort
  readonly trusted: boolean
}

type Raw = Readonly<Record<string, unknown>> & { readonly type: string }
type Create = ClientEvent & { type: 'conversation.item.create' }
type Named<T> = T & { readonly id: string }

export class ClientItems {
  readonly #needs: ClientItemsNeeds

  constructor(needs: ClientItemsNeeds) {
    this.#needs = needs
  }

  create({ item, previous_item_id: previous }: Create, raw: Raw): Refusal | undefined {
    const { leg, trusted } = this.#needs
    const id = item.id ?? newId('item')
    if (item.type === 'mcp_approval_response')
      return unsupported('Calls of tools are approved at the gateway.', 'item.type')
    const isOwn = item.type === 'function_call_output' || (item.type === 'message' && item.role === 'user')
    if (!isOwn && !trusted) return forbiddenBy('item')
    const misplaced = leg.rendered === undefined ? undefined : this.#misplaced(id, previous ?? undefined)
    if (misplaced !== undefined) return misplaced
    const named = { ...item, id }
    const whole = { ...raw, item: this.#audible(named) }
    return this.#add(named, whole)
  }

  /** Where the items are ours: they are told apart by their ids, and a new one is the last. */
  #misplaced(id: string, previous: string | undefined): Refusal | undefined {
    const items = this.#needs.leg.rendered?.items
    if (items?.has(id) === true) return refusalOf({ is: 'rejected', reason: 'item_exists' }, id)
    if (previous === undefined || previous === items?.last) return undefined
    const param = 'previous_item_id'
    if (previous === 'root' && items?.last === null) return undefined
    if (previous !== 'root' && items?.has(previous) !== true)
      return { code: 'invalid_value', message: `Item with id '${previous}' not found.`, param }
    return unsupported("This agent's engine adds items at the end.", param)
  }

  /** Recordings come in the client's format. */
  #audible(item: Named<ClientItem>): Named<ClientItem> {
    const { sound } = this.#needs.leg
    if (item.type !== 'message' || item.role !== 'user' || sound.input === 'audio/pcm') return item
    const content = item.content.map((part) => {
      if (part.type !== 'input_audio') return part
      return { ...part, audio: sound.recording(Buffer.from(part.audio, 'base64')).toString('base64') }
    })
    return { ...item, content }
  }

  #add(item: Named<ClientItem>, whole: Raw): Refusal | undefined {
    if (item.type === 'function_call_output') {
      const answer = this.#needs.port.toolResult(item.call_id, item.output, whole)
      return this.#confirmed(answer, item, item.call_id)
    }
    if (item.type === 'message' && item.role === 'user') return this.#said(item, whole)
    if (this.#needs.leg.rendered === undefined) return this.#native(whole)
    if (item.type !== 'message') return unsupported("This agent's engine makes calls of tools by itself.", 'item.type')
    const text = messageText(item.content)
    const note = item.role === 'system' ? text : `You, the agent, said before: ${JSON.stringify(text)}`
    return this.#confirmed(this.#needs.port.command({ type: 'note', text: note }), item)
  }

  /** Whatever a person adds is a turn, also a picture: nothing goes to the provider that the transcript lacks. */
  #said(item: Named<Extract<MessageItem, { role: 'user' }>>, whole: Raw): Refusal | undefined {
    const { port, leg, trusted } = this.#needs
    const text = messageText(item.content)
    if (!trusted && text.length > limits.userTextChars) {
      const message = `A message holds at most ${limits.userTextChars} characters.`
      return { code: 'string_above_max_length', message, param: 'item.content' }
    }
    const other = item.content.find(({ type }) => type !== 'input_text')
    if (leg.rendered !== undefined && other !== undefined)
      return unsupported(`This agent's engine takes no ${other.type} in a message.`, 'item.content')
    const told = text === '' && other !== undefined ? `[${other.type === 'input_image' ? 'image' : 'audio'}]` : text
    return this.#confirmed(port.userText(item.id, told, whole), item, item.id)
  }

  #confirmed(answer: CommandAnswer, item: Named<ClientItem>, subject = ''): Refusal | undefined {
    if ('reason' in answer) return refusalOf(answer, subject)
    this.#needs.leg.confirmItem(item)
    return undefined
  }

  #native(event: Raw): Refusal | undefined {
    const answer = this.#needs.port.command({ type: 'native', event })
    return 'reason' in answer ? refusalOf(answer) : undefined
  }
}
