// Sessions whose process died: what janitors are for.

import type { Db } from 'mongodb'
import { createLedger } from '../../gateway/ledger/ledger.ts'
import type { TenantId } from '../../gateway/platform/ids.ts'
import { openSessionStore } from '../../gateway/sessions/store.ts'

const secondMicro = 100_000
const seconds = 3
/** What each of them owes. */
export const leftBehindMicro = seconds * secondMicro

/** A session whose process died after one checkpoint of three seconds. */
export async function leaveBehind(db: Db, tenantId: TenantId, i: number): Promise<void> {
  const ledger = createLedger({ db }).of(tenantId)
  const ids = { sessionId: `sess_left${i}`, holdId: `hold_left${i}` }
  const hold = await ledger.hold({ ...ids, amountMicro: 120 * secondMicro, owner: 'node_dead' })
  if (hold.is !== 'held') throw new Error(`no hold: ${hold.is}`)
  const lines = [
    {
      meter: 'session.seconds',
      quantity: seconds,
      unit: 'second' as const,
      priceMicroPerMillion: secondMicro * 1_000_000,
      amountMicro: leftBehindMicro,
    },
  ]
  await ledger.checkpoint({ holdId: ids.holdId, epoch: hold.epoch, lines, costUsdMicro: 0 })
  await openSessionStore(db).create(
    tenantId,
    {
      ...ids,
      agent: { id: 'agt_1', slug: 'productco', name: 'ProductCo' },
      conversationId: `conv_${i}`,
      contactId: `cont_${i}`,
      channel: 'widget',
      keyId: 'key_1',
      engine: { kind: 'demo', model: 'demo', demo: true },
      owner: 'node_dead',
      epoch: hold.epoch,
      price: {
        id: 'price_test',
        engine: 'demo',
        secondMicro,
        meterMicroPerMillion: {},
        costUsdMicroPerMillion: {},
        holdSecondMicro: secondMicro,
      },
    },
    new Date(),
  )
}
