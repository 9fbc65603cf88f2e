import { expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import type { Ledger, TenantLedger } from '../ledger/ledger.ts'
import type { RouteInput } from '../platform/http.ts'
import { asTenantId } from '../platform/ids.ts'
import type { EntryView } from '../protocol/rest.ts'
import { usageRoutes } from './routes.ts'
import type { Usage } from './usage.ts'

const tenantId = asTenantId('ten_1')
const entry = (n: number, note: string): EntryView => ({
  ...{ id: `k${n}`, kind: 'deduct', amountMicro: -n, balanceMicro: n, note, at: '2026-11-26T10:00:00.000Z' },
  ...{ tiers: { daily: -n }, debtMicro: 0 },
})

/** A ledger of so many entries, in pages. */
function csvOf(all: readonly EntryView[]) {
  const tenant: Pick<TenantLedger, 'entries'> = {
    async entries({ cursor, limit }) {
      const from = Number(cursor ?? 0)
      const next = from + limit
      return { items: all.slice(from, next), next: next < all.length ? String(next) : null }
    },
  }
  const ledger = { of: () => tenant } as unknown as Ledger
  const csv = usageRoutes({ ledger, usage: {} as Usage }).find(({ path }) => path === '/v1/credits/entries.csv')
  return (query: { cursor?: string }) => {
    const facts = { ip: '127.0.0.1', origin: undefined, userAgent: '', header: () => undefined }
    const input: RouteInput<unknown, unknown, unknown> = {
      ...{ params: undefined, query, body: undefined, facts, tenantId, actor: undefined, auth: authAs(tenantId) },
    }
    return csv?.run(input)
  }
}

test('[L25] entries as CSV: amounts are numbers, a note that a spreadsheet would run is text', async () => {
  const reply = await csvOf([entry(5, '=cmd|calc'), entry(4, '@x'), entry(3, 'a "b",\r\n+c')])({})
  expect(reply?.text?.split('\r\n"2026').slice(1)).toEqual([
    '-11-26T10:00:00.000Z","k5","deduct",-5,-5,0,0,0,5,,,"\'=cmd|calc"',
    '-11-26T10:00:00.000Z","k4","deduct",-4,-4,0,0,0,4,,,"\'@x"',
    '-11-26T10:00:00.000Z","k3","deduct",-3,-3,0,0,0,3,,,"a ""b"",\r\n+c"\r\n',
  ])
  expect(reply?.headers).toMatchObject({ 'content-type': expect.stringContaining('text/csv') })
  expect(reply?.headers).not.toHaveProperty('x-next-cursor')
})

test('[L25] at most 10,000 entries at once, and a way to the rest', async () => {
  const csv = csvOf(Array.from({ length: 10_150 }, (_, i) => entry(i, '')))
  const first = await csv({})
  expect(first?.text?.split('\r\n')).toHaveLength(10_002)
  expect(first?.headers).toMatchObject({ 'x-next-cursor': '10000' })
  expect((await csv({ cursor: '10000' }))?.text?.split('\r\n')).toHaveLength(152)
})
