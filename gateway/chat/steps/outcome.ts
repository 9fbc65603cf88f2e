// Steps 11 to 13: the turns are stored, the message is charged, the reply leaves the way its message came.

import { idOf } from '../../platform/ids.ts'
import type { Turn, TurnRole, TurnUsage } from '../../protocol/turn.ts'
import { citationsOf, didRun, stateOf } from '../../tools/tools.ts'
import type { PieceCharged } from '../../usage/usage.ts'
import type { ChatDeps } from '../deps.ts'
import { type Answer, type Inbound, wholeText } from '../inbound.ts'
import { Lost } from '../job.ts'

export const replyTurnId = ({ id }: Pick<Inbound, 'id'>): string => idOf('turn', id, 'reply')

/** Of the turns of one message: the first is the person's. */
interface Making {
  readonly inbound: Inbound
  readonly answer: Answer | undefined
  readonly usage?: TurnUsage
}

/** Once each, however often: their ids are the message's. Throws Lost. */
export async function saveTurns({ transcript }: Pick<ChatDeps, 'transcript'>, making: Making): Promise<void> {
  const { tenantId, id, epoch } = making.inbound
  const { fenced } = await transcript.of(tenantId).write(turnsOf(making), { epoch })
  if (fenced.length > 0) throw new Lost(id)
}

/** What it took, once that is known. */
export async function saveUsage(
  { transcript }: Pick<ChatDeps, 'transcript'>,
  { inbound, answer }: Required<Pick<Making, 'inbound'>> & { readonly answer: Answer },
  charged: PieceCharged,
): Promise<void> {
  const usage = { ...answer.usage, costUsdMicro: charged.costUsdMicro, creditsMicro: charged.amountMicro }
  const reply = turnsOf({ inbound, answer, usage }).slice(-1)
  await transcript.of(inbound.tenantId).write(reply, { epoch: inbound.epoch })
}

function turnsOf({ inbound, answer, usage }: Making): Turn[] {
  const { asked, receivedAt, seq = 0 } = inbound
  const turns: Turn[] =
    asked.text === '' ? [] : [turn(inbound, 'user', { part: 'asked', seq, at: receivedAt, text: asked.text })]
  if (answer === undefined) return turns
  const { at } = answer
  let next = answer.seq
  for (const [n, { text, calls }] of answer.rounds.entries()) {
    const toolCalls = calls.map(({ callId, name, arguments: args }) => ({ callId, name, arguments: args }))
    turns.push({ ...turn(inbound, 'agent', { part: `round ${n}`, seq: next++, at, text }), toolCalls })
    for (const call of toolCalls) {
      const ran = answer.ran.find((each) => each.call.callId === call.callId)
      const result = ran === undefined ? {} : { output: ran.output }
      turns.push({
        ...turn(inbound, 'tool', { part: `call ${call.callId}`, seq: next++, at, text: '' }),
        tool: { ...call, ...result, state: ran === undefined ? 'ok' : stateOf(ran) },
        ...(ran?.visual === undefined ? {} : { visual: ran.visual }),
      })
    }
  }
  const own = turn(inbound, 'agent', { part: 'reply', seq: next, at, text: answer.text })
  const asks = answer.toolCalls.length === 0 ? {} : { toolCalls: answer.toolCalls }
  const cited = citationsOf(answer.ran, wholeText(answer))
  const citations = cited.length === 0 ? {} : { citations: cited }
  turns.push({ ...own, ...asks, ...citations, ...(usage === undefined ? {} : { usage }) })
  return turns
}

/** How many positions the agent's side takes. */
export function placesOf({ rounds }: Pick<Answer, 'rounds'>): number {
  return rounds.reduce((sum, { calls }) => sum + 1 + calls.length, 1)
}

function turn(
  { id, conversationId = '', channel }: Inbound,
  role: TurnRole,
  on: { readonly part: string; readonly seq: number; readonly at: string; readonly text: string },
): Turn {
  return {
    ...{ id: idOf('turn', id, on.part), conversationId, sessionId: conversationId, itemId: `${id}/${on.part}` },
    ...{ channel, role, state: 'final', seq: on.seq, text: on.text, voice: false, createdAt: on.at, updatedAt: on.at },
  }
}

/** What it is charged: all that ran, and the message itself. */
export function actionsOf({ rounds, ran }: Pick<Answer, 'rounds' | 'ran'>): Answer['actions'] {
  const paid = rounds.filter((round) => round.reserved !== null)
  const names = paid
    .flatMap(({ calls }) => calls)
    .filter(({ callId }) => ran.some((each) => each.call.callId === callId && didRun(each)))
  return [
    { is: 'message', weight: paid.length > 0 ? 'complex' : 'simple' },
    ...names.map(({ name }) => ({ is: 'tool' as const, name })),
  ]
}

/** False: its channel has no provider: the response is the reply. */
export async function routeReply(
  { routes }: Pick<ChatDeps, 'routes'>,
  inbound: Inbound,
  answer: Answer,
): Promise<void> {
  const { tenantId, agentId, channel, conversationId = '', contactId, asked } = inbound
  const { externalId, phone, email } = asked.sender
  await routes.get(channel)?.send({
    ...{ tenantId, agentId, channel, conversationId, contactId },
    to: { externalId, phone, email },
    threadExternalId: asked.thread?.externalId,
    text: wholeText(answer),
    key: replyTurnId(inbound),
  })
}
