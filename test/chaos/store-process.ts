// The stores of a chaos run as a process of their own, so that they outlive every gateway: the embedded MongoDB-wire server
// and an Upstash database. Run by `store.ts` with the data folder as argument.

import { openEmbeddedMongo } from '../../gateway/embedded/embedded.ts'
import { startFakeUpstash } from '../harness/fake-upstash.ts'

const [, , dir = ''] = process.argv
// The process outlives the faults of a run; the machine does too.
const mongo = await openEmbeddedMongo(dir, { sync: 'NORMAL' })
const upstash = await startFakeUpstash()
process.on('disconnect', () => process.exit(0))
process.send?.({ mongoUri: mongo.uri, redisUrl: upstash.url, redisToken: upstash.token })
