// What was answered to each session's last write. It is stored in the transaction of the write itself, so a retried
// write or commit is recognised even after a crash.
import { decode, toBson } from './document.ts'
import { blob, type Connection, integer } from './sqlite.ts'
import { type Doc, MongoErr } from './value.ts'

/** Drivers retry within a session, and sessions end after 30 minutes without use. */
const KEPT_MS = 35 * 60_000
const COMMITTED = { committed: true }

const sessionKey = (session: string): Buffer => Buffer.from(session, 'latin1')

/** The reply already given to this write, if it is a retry. Throws 225 when the session has moved on. */
export function replay(connection: Connection, session: string, number: bigint): Doc | undefined {
  const row = connection.get('SELECT number, reply FROM retry WHERE session=?', sessionKey(session))
  if (!row || integer(row.number) < number) return undefined
  if (integer(row.number) > number)
    throw new MongoErr(225, `Retryable write with txnNumber ${number} is prohibited: a newer one has already started.`)
  return { ...decode(blob(row.reply)), retriedStmtIds: [0] }
}

export function remember(connection: Connection, session: string, write: { number: bigint; reply: Doc }): void {
  const sql = 'INSERT OR REPLACE INTO retry(session, number, reply, at) VALUES(?,?,?,?)'
  connection.run(sql, sessionKey(session), Number(write.number), toBson(write.reply), Date.now())
}

export const rememberCommit = (connection: Connection, session: string, number: bigint): void =>
  remember(connection, session, { number, reply: COMMITTED })

/** True when this transaction is known to be durable: its commit may be acknowledged again. */
export function wasCommitted(connection: Connection, session: string, number: bigint): boolean {
  const row = connection.get('SELECT number, reply FROM retry WHERE session=?', sessionKey(session))
  return row !== undefined && integer(row.number) === Number(number) && decode(blob(row.reply)).committed === true
}

export function forgetOld(connection: Connection): void {
  connection.run('DELETE FROM retry WHERE at < ?', Date.now() - KEPT_MS)
}
