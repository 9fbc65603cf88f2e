// Housekeeping once a minute: expired documents, old retry records, idle cursors, forgotten transactions.
import type { Catalog, Collection, Index } from './catalog.ts'
import type { Cursors } from './cursors.ts'
import { find, type Query } from './query.ts'
import { forgetOld } from './retries.ts'
import { deleteRow } from './rows.ts'
import type { Connection } from './sqlite.ts'
import type { Transactions } from './transactions.ts'
import type { Writer } from './writer.ts'

/** As often as Mongo's TTL monitor. */
const INTERVAL_MS = 60_000
/** Deleted in one go, so that other writers wait little. */
const BATCH = 1_000
const SESSION_MS = 30 * 60_000

interface SweeperNeeds {
  readonly writer: Writer
  readonly main: Connection
  readonly catalog: Catalog
  readonly cursors: Cursors
  readonly transactions: Transactions
}

/** Deletes a batch of what one TTL index says is too old; true when there may be more. */
function expire({ main }: SweeperNeeds, collection: Collection, index: Index): boolean {
  const [field] = index.fields
  if (!field || index.spec.expireAfterSeconds === undefined) return false
  const oldest = new Date(Date.now() - index.spec.expireAfterSeconds * 1_000)
  // The type bracket of $lt leaves everything that is not a date alone.
  const filters = [{ [field.path]: { $lt: oldest } }, index.spec.partialFilterExpression ?? {}]
  const query: Query = { filter: { $and: filters }, hint: index.name, limit: BATCH }
  const rows = [...find({ connection: main, deadline: { atMs: Number.POSITIVE_INFINITY } }, collection, query)]
  for (const row of rows) deleteRow(main, collection, row)
  return rows.length === BATCH
}

async function sweep(needs: SweeperNeeds): Promise<void> {
  const { writer, main, catalog, cursors, transactions } = needs
  cursors.closeIdle()
  transactions.forgetEnded(Date.now() - SESSION_MS)
  await writer.write(() => forgetOld(main))
  for (const { ns } of catalog.list(main)) {
    let more = true
    while (more)
      more = await writer.write(() => {
        const collection = catalog.find(ns, main)
        const pending = collection?.secondary.map((index) => expire(needs, collection, index))
        return pending?.includes(true) ?? false
      })
  }
}

/** Sweeps until the returned function is called. A sweep that fails is a process warning and tried again later. */
export function startSweeping(needs: SweeperNeeds, intervalMs = INTERVAL_MS): () => void {
  const timer = setInterval(() => {
    sweep(needs).catch((error) => process.emitWarning(`embedded store: sweeping failed: ${String(error)}`))
  }, intervalMs)
  return () => clearInterval(timer)
}
