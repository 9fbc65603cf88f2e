// Copies the data file in a thread of its own: VACUUM INTO reads one consistent state while an owner goes on writing.
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { z } from 'zod'

const { from, to } = z.object({ from: z.string(), to: z.string() }).parse(workerData)
const source = new DatabaseSync(from)
source.exec('PRAGMA busy_timeout=5000')
source.prepare('VACUUM INTO ?').run(to)
source.close()
// SQLite does not sync the copy.
const copy = openSync(to, 'r+')
fsyncSync(copy)
closeSync(copy)
