// The ledger's decisions beside plain arithmetic, without a store: many runs in little time.
// `LEDGER_RUNS=10000 npx vitest run gateway/ledger/arithmetic.test.ts` for more.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runsOf } from '../../test/harness/runs.ts'
import { anyCommand, compare, startMs } from './commands.test-support.ts'
import { MemoryLedger } from './memory.test-support.ts'
import { Model } from './model.test-support.ts'

const numRuns = runsOf('LEDGER_RUNS', 400)

test(
  '[L15][L18][L19][L22] any sequence of commands and clock steps leaves what plain arithmetic says, per tier',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { size: 'max', minLength: 20, maxLength: 60 }), async (commands) => {
        const ledger = new MemoryLedger(startMs)
        const setNow = (ms: number) => ledger.setNow(ms)
        const idle = async () => undefined
        const stage = { model: new Model(startMs), setNow, flush: idle, expire: async () => ledger.expire() }
        for (const command of commands) {
          await command.play(stage, ledger.played)
          await compare(stage, ledger.played)
        }
        ledger.check()
      }),
      { numRuns },
    )
  },
  120_000 + numRuns * 20,
)

test('[L4][L18] whoever asks first, two spenders of the last credit never take more than there is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ n: fc.integer({ min: 1, max: 40 }), hold: fc.boolean() }), { minLength: 2, maxLength: 12 }),
      fc.integer({ min: 0, max: 100 }),
      (asks, credit) => {
        const ledger = new MemoryLedger(startMs)
        void ledger.played.post({ key: 'k', kind: 'grant', amountMicro: credit, note: '' })
        let taken = 0
        for (const [i, { n, hold }] of asks.entries()) {
          const holdId = `hold_${i}`
          void (hold
            ? ledger.played.hold({ holdId, sessionId: 'sess_1', amountMicro: n, owner: 'node_1' })
            : ledger.played.deductCredits({ key: `d${i}`, amountMicro: n, note: '' }))
          if (taken + n <= credit) taken += n
          ledger.check()
        }
        const { account } = ledger
        expect(account.postedMicro - [...account.grants.values()].reduce((sum, each) => sum + each.leftMicro, 0)).toBe(
          0,
        )
        expect(credit - taken).toBe(
          account.postedMicro - [...account.holds.values()].reduce((sum, each) => sum + each.amountMicro, 0),
        )
      },
    ),
    { numRuns: 500 },
  )
})
