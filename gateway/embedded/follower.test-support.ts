// A process that opens a store, says so, and then does one of: wait (until killed), end (having nothing to do).
import { MongoClient } from 'mongodb'
import { openEmbeddedMongo } from './embedded.ts'

const [dir = '', then = 'wait'] = process.argv.slice(2)
const store = await openEmbeddedMongo(dir)
const client = await new MongoClient(store.uri).connect()
await client.db('test').collection('visits').insertOne({ pid: process.pid })
process.stdout.write(store.owner ? 'owner\n' : 'follower\n')
if (then === 'end') await client.close()
