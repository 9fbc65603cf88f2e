import { expect, test } from 'vitest'
import type { Evidence, StoredSession } from './evidence.ts'
import { type Finding, judge, type Rule } from './oracle.ts'
import { type ClientRecord, emptyRecord } from './record.ts'
import { answerWords, questionOf } from './script.ts'

const options = { unbilledPerLossS: 15, graceS: 5 }
const whole = (tag: string, from = 0, to = 12): string => answerWords(tag).slice(from, to).join('')

interface Told {
  readonly role: string
  text: string
  unheard?: string
  itemId: string
  state: string
  seq: number
}

/** A session of 30 s with two questions, one loss in the second answer, everything right. */
function honest() {
  const record: ClientRecord = emptyRecord('c1', 'text')
  const turns: Told[] = [
    { role: 'user', text: questionOf('c1q1'), itemId: 'u1', state: 'final', seq: 1 },
    { role: 'agent', text: whole('c1q1'), itemId: 'a1', state: 'final', seq: 2 },
    { role: 'user', text: questionOf('c1q2'), itemId: 'u2', state: 'final', seq: 3 },
    { role: 'agent', text: whole('c1q2', 0, 5), itemId: 'a2', state: 'interrupted', seq: 4 },
    { role: 'agent', text: whole('c1q2', 5), itemId: 'a3', state: 'final', seq: 5 },
  ]
  for (const turn of turns) {
    record.items.set(turn.itemId, { ...turn, sessionId: 's1' })
    record.committed.add(turn.itemId)
  }
  for (const [i, itemId] of ['u1', 'u2'].entries())
    record.asked.push({
      tag: `c1q${i + 1}`,
      text: questionOf(`c1q${i + 1}`),
      itemId,
      askedAtMs: 0,
      committedAtMs: 1,
      answeredAtMs: 2,
      sessionId: 's1',
      givenUp: undefined,
    })
  record.attachments.push({ sessionId: 's1', fromMs: 0, heardMs: 20_000, toMs: 20_010, mutedMs: undefined })
  record.comebacks.push({
    lostAtMs: 20_010,
    sessionId: 's1',
    midAnswer: true,
    moved: false,
    possibleAtMs: undefined,
    backAtMs: 21_000,
    firstFrameAtMs: 21_100,
    became: 'resumed',
  })
  record.attachments.push({ sessionId: 's1', fromMs: 21_000, heardMs: 31_000, toMs: 31_010, mutedMs: undefined })
  const receipt = {
    sessionId: 's1',
    holdId: 'h1',
    totalMicro: 150,
    entryId: 'settle:h1',
    lines: [
      { meter: 'session.seconds', quantity: 29, amountMicro: 145 },
      { meter: 'output.text.tokens', quantity: 24, amountMicro: 5 },
    ],
  }
  const session = {
    id: 's1',
    state: 'ended',
    endReason: 'client_ended',
    seconds: 29,
    creditsMicro: 150,
    turns,
    receipt,
  }
  const entries = [
    { id: 'settle:h1', kind: 'settle', amountMicro: -150, balanceMicro: 850, sessionId: 's1' },
    { id: 'seed', kind: 'grant', amountMicro: 1_000, balanceMicro: 1_000 },
  ]
  const credits = { postedMicro: 850, heldMicro: 0, availableMicro: 850, holds: [] as Evidence['credits']['holds'] }
  return { record, turns, receipt, session, entries, credits }
}
type Case = ReturnType<typeof honest>

function rules({ record, session, turns, entries, credits }: Case): Rule[] {
  const stored = turns.map((turn) => ({ ...turn, sessionId: 's1' }))
  const sessions = new Map<string, StoredSession>([['s1', { ...session, turns: stored }]])
  const findings: Finding[] = judge([record], { sessions, entries, credits }, options)
  return [...new Set(findings.map((finding) => finding.rule))].toSorted()
}

const turn = (made: Case, itemId: string): Told => made.turns.find((each) => each.itemId === itemId) ?? made.turns[0]!

test('an honest run has no findings', () => {
  expect(rules(honest())).toEqual([])
})

const planted: [what: string, rule: Rule, plant: (made: Case) => void][] = [
  ['a committed question that is not stored', 'lost', ({ turns }) => void turns.splice(2, 1)],
  ['a committed answer that is not stored', 'lost', ({ turns }) => void turns.splice(4, 1)],
  [
    'a turn that stayed partial',
    'lost',
    (made) => {
      turn(made, 'a3').state = 'partial'
    },
  ],
  [
    'a question stored twice under another id',
    'doubled',
    (made) => void made.turns.push({ ...turn(made, 'u2'), itemId: 'u9', seq: 6 }),
  ],
  ['one turn stored twice', 'doubled', (made) => void made.turns.push({ ...turn(made, 'a1'), seq: 6 })],
  [
    'an answer given twice',
    'doubled',
    (made) => {
      turn(made, 'a3').text = whole('c1q2')
    },
  ],
  [
    'one word said twice by a chat',
    'doubled',
    (made) => {
      turn(made, 'a3').text = whole('c1q2', 4)
    },
  ],
  [
    'questions in the wrong order',
    'misplaced',
    (made) => {
      turn(made, 'u1').seq = 3
      turn(made, 'u2').seq = 1
    },
  ],
  [
    'an answer that breaks off',
    'unanswered',
    (made) => {
      turn(made, 'a3').text = whole('c1q2', 5, 9)
    },
  ],
  [
    'an answer of which a part was never heard',
    'unanswered',
    (made) => {
      Object.assign(made.record, { kind: 'voice' })
      turn(made, 'a3').text = whole('c1q2', 5, 9)
      turn(made, 'a3').unheard = whole('c1q2', 9)
    },
  ],
  ['a client that shows less than is stored', 'view', ({ record }) => void record.items.delete('a2')],
  [
    'a client that shows more than is stored',
    'view',
    ({ record }) => {
      record.items.set('ghost', {
        itemId: 'ghost',
        sessionId: 's1',
        role: 'agent',
        text: 'Boo.',
        state: 'final',
        seq: 9,
      })
    },
  ],
  [
    'a client that shows other words',
    'view',
    ({ record }) => {
      record.items.get('a1')!.text = 'Something else.'
    },
  ],
  ['a hole in the numbers', 'wire', ({ record }) => void record.breaches.push('7 came after 5')],
  [
    'a balance that is not the sum',
    'balance',
    ({ credits }) => {
      credits.postedMicro = 851
    },
  ],
  [
    'an entry whose balance is wrong',
    'balance',
    ({ entries }) => {
      entries[0]!.balanceMicro = 849
    },
  ],
  [
    'a second settlement',
    'settlement',
    ({ entries, credits }) => {
      entries.unshift({ id: 'settle:h2', kind: 'settle', amountMicro: -1, balanceMicro: 849, sessionId: 's1' })
      credits.postedMicro = 849
    },
  ],
  [
    'no settlement',
    'settlement',
    ({ entries, credits }) => {
      entries.shift()
      credits.postedMicro = 1_000
    },
  ],
  [
    'a session that never ended',
    'settlement',
    ({ session }) => {
      session.state = 'live'
    },
  ],
  [
    'a receipt that does not add up',
    'receipt',
    ({ receipt }) => {
      receipt.lines[0]!.amountMicro = 144
    },
  ],
  [
    'a receipt of another amount than its entry',
    'receipt',
    ({ receipt }) => {
      receipt.lines[0]!.amountMicro = 146
      receipt.totalMicro = 151
    },
  ],
  [
    'a hold left over',
    'hold',
    ({ credits }) => void credits.holds.push({ id: 'h9', sessionId: 's9', amountMicro: 1, usedMicro: 0 }),
  ],
  [
    'time billed that was not served',
    'billing',
    ({ receipt }) => {
      receipt.lines[0]!.quantity = 46
    },
  ],
  [
    'time counted twice when owners changed often',
    'billing',
    ({ record, receipt }) => {
      for (let i = 0; i < 10; i++) record.comebacks.push({ ...record.comebacks[0]!, became: 'resumed' })
      receipt.lines[0]!.quantity = 41
    },
  ],
  [
    'more time given away than a kill may cost',
    'billing',
    ({ receipt }) => {
      receipt.lines[0]!.quantity = 11
    },
  ],
]

test.each(planted)('the oracle finds %s (%s)', (_, rule, plant) => {
  const made = honest()
  plant(made)
  expect(rules(made)).toContain(rule)
})

test('speech that was cut may begin its sentence again, but say none twice', () => {
  const spoken = honest()
  Object.assign(spoken.record, { kind: 'voice' })
  const rest = (from: number): void => {
    turn(spoken, 'a3').text = whole('c1q2', from)
    spoken.record.items.get('a3')!.text = whole('c1q2', from)
  }
  rest(4)
  expect(rules(spoken)).toEqual([])
  rest(0)
  expect(rules(spoken)).toEqual(['doubled'])
})

test('of long absences a minute is free, what goes beyond is charged', () => {
  const made = honest()
  made.record.attachments[1] = {
    ...made.record.attachments[1]!,
    fromMs: 121_000,
    heardMs: 131_000,
    toMs: 131_010,
  }
  // 30 s connected and an absence of 101 s: 5 s of grace, a minute free, 36 s charged.
  const bill = (seconds: number): Rule[] => {
    made.receipt.lines[0]!.quantity = seconds
    return rules(made)
  }
  expect([bill(71), bill(85)]).toEqual([[], ['billing']])
})

test('an answer of a session that is over may be missing', () => {
  const made = honest()
  made.turns.splice(4, 1)
  made.record.items.delete('a3')
  made.record.committed.delete('a3')
  expect(rules(made)).toEqual(['unanswered'])
  made.record.asked[1]!.givenUp = 'session over'
  expect(rules(made)).toEqual([])
})
