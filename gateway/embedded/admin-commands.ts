// What drivers and shells ask of a server: who it is, how it is, and the upkeep of their sessions.
import { hostname } from 'node:os'
import { Long, ObjectId } from 'bson'
import { z } from 'zod'
import { type Call, type Command, command, VERSION, WIRE_VERSION } from './command.ts'
import { MAX_DOCUMENT_BYTES } from './document.ts'
import { type Doc, MongoErr } from './value.ts'
import { MAX_MESSAGE_BYTES } from './wire.ts'

const ELECTION = new ObjectId('7fffffff0000000000000001')
/** The one id of a session, in the form used as key. */
export const sessionArg = z
  .object({ id: z.custom<{ buffer: Uint8Array }>((id) => typeof id === 'object' && id !== null && 'buffer' in id) })
  .transform(({ id }) => Buffer.from(id.buffer).toString('latin1', 0, 16))
const anything = z.looseObject({})

/** A single node that calls itself a replica set: sessions, retryable writes and transactions need one. */
const hello = ({ address }: Call): Doc => ({
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  secondary: false,
  setName: 'embedded',
  setVersion: 1,
  hosts: [address],
  primary: address,
  me: address,
  electionId: ELECTION,
  lastWrite: { opTime: { ts: Long.ONE, t: Long.ONE }, lastWriteDate: new Date() },
  maxBsonObjectSize: MAX_DOCUMENT_BYTES,
  maxMessageSizeBytes: MAX_MESSAGE_BYTES,
  maxWriteBatchSize: 100_000,
  localTime: new Date(),
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: WIRE_VERSION,
  readOnly: false,
})

const buildInfo = (): Doc => ({
  version: VERSION,
  versionArray: [...VERSION.split('.').map(Number), 0],
  gitVersion: 'embedded',
  modules: [],
  bits: 64,
  debug: false,
  maxBsonObjectSize: MAX_DOCUMENT_BYTES,
  storageEngines: ['sqlite'],
})

const serverStatus = ({ startedAtMs, address }: Call): Doc => ({
  host: hostname(),
  version: VERSION,
  process: 'embedded',
  pid: process.pid,
  uptime: (Date.now() - startedAtMs) / 1_000,
  localTime: new Date(),
  storageEngine: { name: 'sqlite', supportsCommittedReads: true, persistent: true },
  repl: { setName: 'embedded', isWritablePrimary: true, hosts: [address] },
})

const getParameter = command('getParameter', {
  args: anything,
  run(_, asked) {
    const known: Doc = {
      featureCompatibilityVersion: { version: VERSION.slice(0, 3) },
      authenticationMechanisms: [],
      transactionLifetimeLimitSeconds: 60,
    }
    const shown = Object.entries(known).filter(([name]) => asked.getParameter === '*' || name in asked)
    if (!shown.length) throw new MongoErr(72, 'no option found to get')
    return Object.fromEntries(shown)
  },
})

const sessions = z.array(sessionArg)
const endSessions = command('endSessions', {
  args: z.strictObject({ endSessions: sessions }),
  run(call, { endSessions: ended }) {
    for (const session of ended) {
      call.transactions.endSession(session)
      call.cursors.closeOf((cursor) => cursor.session === session)
    }
    return {}
  },
})
const refreshSessions = command('refreshSessions', {
  args: z.strictObject({ refreshSessions: sessions }),
  run: () => ({}),
})

const authInfo = { authenticatedUsers: [], authenticatedUserRoles: [], authenticatedUserPrivileges: [] }
/** Read-only questions that take no arguments of interest. */
const answers: [string[], (call: Call, asked: Doc) => Doc][] = [
  [['hello', 'isMaster', 'ismaster'], hello],
  [['ping', 'logout'], () => ({})],
  [['buildInfo', 'buildinfo'], buildInfo],
  [['serverStatus'], serverStatus],
  [['hostInfo'], () => ({ system: { hostname: hostname() }, os: { type: process.platform }, extra: {} })],
  [['getLog'], (_, { getLog }) => (getLog === '*' ? { names: ['global'] } : { totalLinesWritten: 0, log: [] })],
  [['getCmdLineOpts'], () => ({ argv: ['embedded'], parsed: {} })],
  [['connectionStatus'], () => ({ authInfo })],
  [['whatsmyuri'], () => ({ you: 'local' })],
]

export const adminCommands: [string, Command][] = [
  getParameter,
  endSessions,
  refreshSessions,
  ...answers.flatMap(([names, answer]) =>
    names.map((name) => command(name, { args: anything, inTransaction: true, run: answer })),
  ),
]
