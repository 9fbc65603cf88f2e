// Compares what clients saw with what is stored and what was charged. Pure: evidence in, findings out.

import type { Evidence, StoredReceipt, StoredSession, StoredTurn } from './evidence.ts'
import type { ClientRecord, SeenItem } from './record.ts'
import { answerLength, placesIn, sentencesIn, tagOf } from './script.ts'

export type Rule =
  | 'lost'
  | 'doubled'
  | 'misplaced'
  | 'unanswered'
  | 'view'
  | 'wire'
  | 'balance'
  | 'settlement'
  | 'receipt'
  | 'hold'
  | 'billing'

export interface Finding {
  readonly rule: Rule
  readonly what: string
}

export interface OracleOptions {
  /** Seconds that may go unbilled for each loss of a connection: what a killed gateway had not told anybody. */
  readonly unbilledPerLossS: number
  /** Seconds a session runs on, billed, after its client was last there. */
  readonly graceS: number
}

/** Rule S30: an absence is charged for this long, then free; of a session's absences so much is free in sum. */
const gapGraceS = 5
const freeGapS = 60

/** A started second counts, and so does the time a socket needs to tell its end. */
const slackS = 3

export function judge(clients: readonly ClientRecord[], evidence: Evidence, options: OracleOptions): Finding[] {
  return [
    ...clients.flatMap((client) => [
      ...turnsOf(client, evidence),
      ...answersOf(client, evidence),
      ...viewOf(client, evidence),
      ...client.breaches.map((what): Finding => ({ rule: 'wire', what })),
    ]),
    ...moneyOf(evidence),
    ...billsOf(clients, evidence, options),
  ]
}

// Turns

const turnsBySeq = (session: StoredSession | undefined): readonly StoredTurn[] =>
  session?.turns.toSorted((a, b) => a.seq - b.seq) ?? []

function sessionsOf(client: ClientRecord): string[] {
  return [...new Set(client.attachments.map((attachment) => attachment.sessionId))]
}

function turnsOf(client: ClientRecord, { sessions }: Evidence): Finding[] {
  const findings: Finding[] = []
  const stored = sessionsOf(client).flatMap((id) => turnsBySeq(sessions.get(id)))
  const at = new Map<string, number>()
  for (const [place, turn] of stored.entries()) {
    if (at.has(turn.itemId))
      findings.push({ rule: 'doubled', what: `${client.name}: turn ${turn.itemId} is stored twice` })
    at.set(turn.itemId, place)
    if (turn.state === 'partial')
      findings.push({ rule: 'lost', what: `${client.name}: turn ${turn.itemId} stayed partial` })
  }
  for (const itemId of client.committed)
    if (!at.has(itemId)) findings.push({ rule: 'lost', what: `${client.name}: committed ${itemId} is not stored` })
  for (const asked of client.asked) {
    const copies = stored.filter((turn) => turn.role === 'user' && tagOf(turn.text) === asked.tag)
    if (copies.length > 1) findings.push({ rule: 'doubled', what: `${asked.tag} is stored ${copies.length} times` })
    if (asked.committedAtMs !== undefined && copies[0]?.text !== asked.text)
      findings.push({ rule: 'lost', what: `${asked.tag} was committed; stored is ${JSON.stringify(copies[0]?.text)}` })
  }
  const order = stored.flatMap((turn) => (turn.role === 'user' ? Number(tagOf(turn.text)?.split('q')[1] ?? 0) : []))
  if (order.some((number, i) => number < (order[i - 1] ?? 0)))
    findings.push({ rule: 'misplaced', what: `${client.name}: questions stand in the order ${order.join(' ')}` })
  return findings
}

/** Each question is answered once: no word of a text twice, no sentence of speech twice, nothing left out. */
function answersOf(client: ClientRecord, { sessions }: Evidence): Finding[] {
  const findings: Finding[] = []
  const agent = sessionsOf(client).flatMap((id) => turnsBySeq(sessions.get(id)).filter(({ role }) => role === 'agent'))
  for (const { tag, committedAtMs, givenUp } of client.asked) {
    if (committedAtMs === undefined) continue
    const told = agent.flatMap((turn) => placesIn(turn.text, tag))
    const sentences = sentencesIn(told)
    const twice = client.kind === 'text' ? hasTwice(told) : hasTwice(sentences)
    if (twice) findings.push({ rule: 'doubled', what: `${tag} was answered with the words ${told.join(' ')}` })
    if (givenUp === 'session over') continue
    const missing = Array.from({ length: answerLength }, (_, i) => i + 1).filter((place) => !told.includes(place))
    if (missing.length > 0)
      findings.push({
        rule: 'unanswered',
        what: `${client.kind} ${tag} lacks the words ${missing.join(' ')} (${givenUp ?? 'answered'}): ${shape(agent, tag)}`,
      })
    if (!isRising(told, client.kind)) findings.push({ rule: 'misplaced', what: `${tag}: words ${told.join(' ')}` })
  }
  return findings
}

/** The turns about a question in short: `interrupted 1-5 (unheard 6-8), final 9-12`. */
function shape(agent: readonly StoredTurn[], tag: string): string {
  const range = (text: string): string => {
    const places = placesIn(text, tag)
    return places.length === 0 ? '' : `${places[0]}-${places.at(-1)}`
  }
  return agent
    .map(({ state, text, unheard = '' }) => [state, range(text), range(unheard)] as const)
    .filter(([, heard, unheard]) => heard !== '' || unheard !== '')
    .map(([state, heard, unheard]) => `${state} ${heard}${unheard === '' ? '' : ` (unheard ${unheard})`}`)
    .join(', ')
}

function hasTwice(values: readonly number[]): boolean {
  return new Set(values).size !== values.length
}

/** Speech that was cut in a sentence may begin that sentence again. */
function isRising(places: readonly number[], kind: ClientRecord['kind']): boolean {
  return places.every((place, i) => {
    const before = places[i - 1] ?? 0
    return place === before + 1 || (kind === 'voice' && place <= before && (place - 1) % 4 === 0) || place > before
  })
}

// The client's own view

/** What the client shows of a session is what is stored: nothing more, nothing less, nothing else, in this order. */
function viewOf(client: ClientRecord, { sessions }: Evidence): Finding[] {
  const last = client.attachments.at(-1)?.sessionId
  if (last === undefined) return []
  const findings: Finding[] = []
  const differs = (what: string): void => void findings.push({ rule: 'view', what: `${client.name} ${last}: ${what}` })
  const stored = turnsBySeq(sessions.get(last))
  const shown = [...client.items.values()].filter((item) => item.sessionId === last)
  const shownById = new Map(shown.map((item) => [item.itemId, item]))
  for (const turn of stored) {
    const item = shownById.get(turn.itemId)
    if (item === undefined) differs(`does not show ${turn.role} ${turn.itemId} ${JSON.stringify(turn.text)}`)
    else if (item.text !== turn.text)
      differs(`shows ${turn.itemId} as ${JSON.stringify(item.text)}, stored is ${JSON.stringify(turn.text)}`)
  }
  const known = new Set(stored.map((turn) => turn.itemId))
  for (const item of shown)
    if (!known.has(item.itemId) && item.text !== '')
      differs(`shows ${item.itemId} ${JSON.stringify(item.text)} on its own`)
  if (!inOrder(stored, shownById)) differs('shows turns in another order')
  return findings
}

function inOrder(stored: readonly StoredTurn[], shown: ReadonlyMap<string, SeenItem>): boolean {
  const places = stored.flatMap((turn) => shown.get(turn.itemId)?.seq ?? [])
  return places.every((place, i) => place > (places[i - 1] ?? Number.NEGATIVE_INFINITY))
}

// Money

function moneyOf({ sessions, entries, credits }: Evidence): Finding[] {
  const findings: Finding[] = []
  const sum = entries.reduce((total, entry) => total + entry.amountMicro, 0)
  if (sum !== credits.postedMicro)
    findings.push({ rule: 'balance', what: `entries sum to ${sum}, posted is ${credits.postedMicro}` })
  let balance = 0
  for (const entry of entries.toReversed()) {
    balance += entry.amountMicro
    if (entry.balanceMicro !== balance)
      findings.push({ rule: 'balance', what: `${entry.id} says ${entry.balanceMicro}, its replay ${balance}` })
    if (balance < 0) findings.push({ rule: 'balance', what: `${entry.id} made the balance ${balance}` })
  }
  for (const hold of credits.holds)
    findings.push({ rule: 'hold', what: `${hold.id} of ${hold.sessionId} is still there` })
  const settled = Map.groupBy(
    entries.filter((entry) => entry.kind === 'settle'),
    (entry) => entry.sessionId ?? '',
  )
  for (const session of sessions.values()) findings.push(...settlementOf(session, settled.get(session.id) ?? []))
  return findings
}

function settlementOf(session: StoredSession, entries: Evidence['entries']): Finding[] {
  const findings: Finding[] = []
  const { receipt } = session
  if (session.state !== 'ended') findings.push({ rule: 'settlement', what: `${session.id} is still ${session.state}` })
  if (entries.length !== 1)
    findings.push({ rule: 'settlement', what: `${session.id} was settled ${entries.length} times` })
  if (receipt === undefined) return [...findings, { rule: 'receipt', what: `${session.id} has none` }]
  const lines = receipt.lines.reduce((total, line) => total + line.amountMicro, 0)
  if (lines !== receipt.totalMicro)
    findings.push({ rule: 'receipt', what: `${session.id}: lines sum to ${lines}, total is ${receipt.totalMicro}` })
  if (entries[0] !== undefined && entries[0].amountMicro !== -receipt.totalMicro)
    findings.push({ rule: 'receipt', what: `${session.id}: ${receipt.totalMicro}, entry ${entries[0].amountMicro}` })
  return findings
}

function billsOf(clients: readonly ClientRecord[], { sessions }: Evidence, options: OracleOptions): Finding[] {
  const findings: Finding[] = []
  for (const client of clients)
    for (const id of sessionsOf(client)) {
      const bill = sessions.get(id)?.receipt
      if (bill === undefined) continue
      const billedS = secondsOf(bill)
      const { leastS, mostS } = servedOf(client, id, options)
      if (billedS > mostS || billedS < leastS)
        findings.push({
          rule: 'billing',
          what: `${client.name} ${id}: billed ${billedS} s, served between ${leastS.toFixed(1)} and ${mostS.toFixed(1)} s`,
        })
    }
  return findings
}

export interface Served {
  readonly billedS: number
  readonly heardS: number
  readonly losses: number
}

/** Of every session that has a receipt. */
export function servedAndBilled(clients: readonly ClientRecord[], { sessions }: Evidence): Served[] {
  return clients.flatMap((client) =>
    sessionsOf(client).flatMap((id) => {
      const bill = sessions.get(id)?.receipt
      return bill === undefined ? [] : { billedS: secondsOf(bill), ...attachedOf(client, id) }
    }),
  )
}

function secondsOf(bill: StoredReceipt): number {
  return bill.lines.find((line) => line.meter === 'session.seconds')?.quantity ?? 0
}

function attachedOf(client: ClientRecord, sessionId: string) {
  const attached = client.attachments.filter((each) => each.sessionId === sessionId)
  const [first, last] = [attached[0], attached.at(-1)]
  return {
    spanS: first === undefined || last === undefined ? 0 : ((last.toMs ?? last.heardMs) - first.fromMs) / 1000,
    losses: client.comebacks.filter((each) => each.sessionId === sessionId && !each.moved).length,
    heardS: attached.reduce((sum, { fromMs, heardMs }) => sum + Math.max(0, heardMs - fromMs), 0) / 1000,
    connectedS:
      attached.reduce((sum, { fromMs, toMs, heardMs, mutedMs }) => sum + ((mutedMs ?? toMs ?? heardMs) - fromMs), 0) /
      1000,
  }
}

/**
 * Seconds of service by the client's own clock: at least what it heard, at most what it was connected, and never more
 * than passed, however often it changed owners.
 */
function servedOf(client: ClientRecord, sessionId: string, options: OracleOptions) {
  const { losses, heardS, connectedS, spanS } = attachedOf(client, sessionId)
  const pausedS = gapsOf(client, sessionId).reduce((sum, gapS) => sum + Math.max(0, gapS - gapGraceS), 0)
  const chargedGapS = Math.max(0, pausedS - freeGapS)
  return {
    leastS: Math.max(0, heardS - losses * options.unbilledPerLossS - slackS),
    mostS: slackS + Math.min(connectedS + (losses + 1) * options.graceS + chargedGapS, spanS + options.graceS),
  }
}

/** Seconds between a client's last byte over one socket and its session over the next. */
function gapsOf(client: ClientRecord, sessionId: string): number[] {
  const attached = client.attachments.filter((each) => each.sessionId === sessionId)
  return attached.flatMap(({ fromMs }, i) => {
    const before = attached[i - 1]
    if (before === undefined) return []
    return (fromMs - (before.mutedMs ?? before.toMs ?? fromMs)) / 1000
  })
}
