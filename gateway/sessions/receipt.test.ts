import { expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import type { RouteInput } from '../platform/http.ts'
import { asTenantId } from '../platform/ids.ts'
import type { Receipt } from '../protocol/rest.ts'
import { sessionRoutes } from './routes.ts'
import type { Sessions } from './sessions.ts'

const receipt: Receipt = {
  ...{ sessionId: 'sess_1', holdId: 'hold_1', totalMicro: 9, waivedMicro: 0, costUsdMicro: null },
  // A meter never looks like this: the ledger refuses it. The file must be harmless all the same.
  lines: [
    { meter: '=1+1', quantity: 3, unit: 'second', priceMicroPerMillion: 2, amountMicro: 4 },
    { meter: 'tool.calls', quantity: 1, unit: 'call', priceMicroPerMillion: 5_000_000, amountMicro: 5 },
  ],
  ...{ entryId: 'settle:hold_1', settledAt: '2026-11-26T10:00:00.000Z', charges: [] },
}

function ask(query: { format?: 'json' | 'csv' }, accept?: string) {
  const sessions = { of: () => ({ receipt: async () => receipt }) } as unknown as Sessions
  const route = sessionRoutes({ sessions }).find(({ path }) => path === '/v1/sessions/:id/receipt')
  const header = (name: string) => (name === 'accept' ? accept : undefined)
  const input: RouteInput<unknown, unknown, unknown> = {
    ...{ params: { id: 'sess_1' }, query, body: undefined, actor: undefined, tenantId: asTenantId('ten_1') },
    auth: authAs('ten_1'),
    facts: { ip: '127.0.0.1', origin: undefined, userAgent: '', header },
  }
  return route?.run(input)
}

test('[L25] a receipt is JSON, or CSV for who asks for it in the query or by its Accept header', async () => {
  expect(await ask({})).toEqual({ json: receipt })
  expect(await ask({}, 'application/json, text/csv;q=0.1')).toEqual({ json: receipt })
  expect(await ask({ format: 'json' }, 'text/csv')).toEqual({ json: receipt })
  const reply = await ask({ format: 'csv' })
  expect(await ask({}, 'text/csv')).toEqual(reply)
  expect(reply?.headers).toMatchObject({ 'content-disposition': 'attachment; filename="receipt-sess_1.csv"' })
  const rows = reply?.text
    ?.trim()
    .split('\r\n')
    .map((row) => row.split(','))
  expect(rows?.map((row) => row[1])).toEqual(['"meter"', `"'=1+1"`, '"tool.calls"', '"total"'])
  expect(rows?.map((row) => row[5])).toEqual(['"amount_micro"', '4', '5', '9'])
})
