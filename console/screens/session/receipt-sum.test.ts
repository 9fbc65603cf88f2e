import { expect, test } from 'vitest'
import type { Receipt } from '../../../gateway/protocol/rest.ts'
import { receiptGapMicro } from './receipt-sum.ts'

const receipt: Receipt = {
  sessionId: 'ses_1',
  holdId: 'hld_1',
  lines: [
    { meter: 'speech', quantity: 60, unit: 'second', priceMicroPerMillion: 1, amountMicro: 600_000 },
    { meter: 'tokens', quantity: 900, unit: 'token', priceMicroPerMillion: 1, amountMicro: 400_001 },
  ],
  totalMicro: 1_000_001,
  waivedMicro: 0,
  costUsdMicro: null,
  entryId: 'ent_1',
  settledAt: '2026-01-01T10:00:00.000Z',
  charges: [],
}

test('a receipt whose lines do not sum to its total is found to the micro-credit', () => {
  expect(receiptGapMicro(receipt)).toBe(0)
  expect(receiptGapMicro({ ...receipt, totalMicro: 1_000_000 })).toBe(1)
})
