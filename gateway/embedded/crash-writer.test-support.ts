// A process to be killed: opens a store, writes from many sides at once and prints what was acknowledged, line by line.
import { MongoClient } from 'mongodb'
import { openEmbeddedMongo } from './embedded.ts'

const WRITERS = 8
const [dir = '', run = ''] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)

const store = await openEmbeddedMongo(dir)
const client = await new MongoClient(store.uri).connect()
const db = client.db('crash')
const inserts = db.collection<{ _id: string; key: string }>('inserts')
const counters = db.collection<{ _id: string; n: number }>('counters')
const left = db.collection<{ _id: string }>('left')
const right = db.collection<{ _id: string }>('right')
await inserts.createIndex({ key: 1 }, { unique: true })
say('ready')

async function write(writer: number): Promise<void> {
  for (let n = 0; ; n++) {
    const _id = `${run}-${writer}-${n}`
    if (writer % 2 === 0) {
      await inserts.insertOne({ _id, key: `key-${_id}` })
      say(`insert ${_id}`)
      await counters.updateOne({ _id: `c${writer}` }, { $inc: { n: 1 } }, { upsert: true })
      say(`increment c${writer}`)
    } else {
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await left.insertOne({ _id }, { session })
          await right.insertOne({ _id }, { session })
        }),
      )
      say(`both ${_id}`)
    }
  }
}
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
