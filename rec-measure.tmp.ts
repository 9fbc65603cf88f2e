// measured
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedMongo } from '/work/wt/records/gateway/embedded/embedded.ts'
import { openMongo } from '/work/wt/records/gateway/platform/mongo.ts'
import { ensureIndexes } from '/work/wt/records/gateway/platform/mongo.ts'
import { entityCollections } from '/work/wt/records/gateway/entities/entities.ts'
import { openRecords, searchPart } from '/work/wt/records/gateway/entities/record-store.ts'
import { typeStore } from '/work/wt/records/gateway/entities/type-store.ts'
import { recordsIn } from '/work/wt/records/test/harness/records.ts'
import { authAs } from '/work/wt/records/test/harness/auth.ts'
import { asTenantId } from '/work/wt/records/gateway/platform/ids.ts'
const dir = await mkdtemp(join(tmpdir(), 'rec-'))
const emb = await openEmbeddedMongo(dir)
const mongo = await openMongo(emb.uri, 'm', { timeoutMs: 10_000 })
await ensureIndexes(mongo.db, entityCollections)
const { entities } = recordsIn(mongo.db)
const tenantId = asTenantId('ten_m')
const all = entities.of(tenantId).as(authAs(tenantId))
const first = 'Anna Bert Clara Dora Emil Frida Georg Hanna Ida Jakob Karl Lena Marta Nora Otto Paul Rosa Sara Tom Uwe'.split(' ')
const last = Array.from({ length: 400 }, (_, n) => `${['Ber','Mul','Scho','Wal','Fis','Kra','Hof','Len'][n % 8]}${['ger','ler','mann','ter','stein'][n % 5]}${n}`)
const schema = { type: 'object', properties: { name: { type: 'string' }, email: { type: 'string' }, status: { enum: ['open', 'won', 'lost'] }, budget: { type: 'number' }, notes: { type: 'string' } }, required: ['name'] }
await all.createType('lead', { name: 'L', description: '', schema, searchFields: null, titleField: 'name' })
const kind = (await typeStore.open(mongo.db).find(tenantId, 'lead'))!.kind
const store = openRecords(mongo.db)
const N = Number(process.env.N ?? 50_000)
const t0 = performance.now()
for (let i = 0; i < N; i += 500) {
  const docs = Array.from({ length: 500 }, (_, j) => {
    const n = i + j
    const name = `${first[n % 20]} ${last[(n * 7) % 400]}`
    const data = { name, email: `u${n}@example.com`, status: ['open', 'won', 'lost'][n % 3], budget: (n * 37) % 10_000, notes: `asked about ${first[(n * 3) % 20]} and wants a call next week number ${n}` }
    const id = store.newId(1_700_000_000_000 + n)
    return { _id: id, tenantId, type: 'lead', slug: id.slice(4), data, rev: 1, createdBy: 'x', createdAt: new Date(), updatedAt: new Date(), ...searchPart(kind, data, undefined) }
  })
  await mongo.db.collection('entities').insertMany(docs as never)
}
console.log('insert s', ((performance.now() - t0) / 1000).toFixed(1))
const page = await all.list('lead', { limit: 200 })
async function measure(name: string, run: (n: number) => Promise<unknown>, times = 40) {
  const ms: number[] = []
  for (let n = 0; n < times; n++) { const s = performance.now(); await run(n); ms.push(performance.now() - s) }
  ms.sort((a, b) => a - b)
  console.log(name.padEnd(46), 'p50', ms[times >> 1]!.toFixed(1), 'p95', ms[Math.floor(times * 0.95)]!.toFixed(1))
}
await measure("rare beside common", (n) => all.list("lead", { q: `number ${N - 500 + n}`, limit: 20 }), 20)
await measure('get by id', (n) => all.get('lead', page.items[n]!.id))
await measure('get by slug', (n) => all.get('lead', page.items[n]!.slug))
await measure('list first page of 50', () => all.list('lead', { limit: 50 }))
let cur: string | undefined
await measure('list next pages of 50', async () => { const p = await all.list('lead', { limit: 50, cursor: cur }); cur = p.next ?? undefined })
await measure('search one common word (anna), 20', (n) => all.list('lead', { q: first[n % 20]!, limit: 20 }))
await measure('search two words, 20', (n) => all.list('lead', { q: `${first[n % 20]} ${last[n]}`, limit: 20 }))
await measure('search name in full, 20', (n) => all.list('lead', { q: `${last[n * 3]}`, limit: 20 }))
await measure('search word in every one (week), 20', () => all.list('lead', { q: 'week', limit: 20 }))
await measure('search prefix of 4 (bert), 20', () => all.list('lead', { q: 'berg', limit: 20 }))
await measure('search nothing found', (n) => all.list('lead', { q: `zzqx${n}`, limit: 20 }))
await measure('search rare in common (numbe 49000)', (n) => all.list('lead', { q: `number ${49_000 + n}`, limit: 20 }))
await measure('where status=open, 50', () => all.list('lead', { where: { status: 'open' }, limit: 50 }))
await measure('where email=, 50', (n) => all.list('lead', { where: { email: `u${n * 13}@example.com` }, limit: 50 }))
await measure('where budget<50, 50', () => all.list('lead', { where: { budget: { lt: 50 } }, limit: 50 }), 10)
await measure('where budget<0 (none)', () => all.list('lead', { where: { budget: { lt: 0 } }, limit: 50 }), 3)
await measure('sort by budget, 50', () => all.list('lead', { sort: 'budget', limit: 50 }), 3)
await measure('count', () => all.count('lead', {}), 3)
const auth = authAs(tenantId, { rows: () => ({ is: 'some', anyOf: [[{ is: 'field', field: 'data.email', op: 'eq', values: ['u77@example.com'] }]] }) })
const mine = entities.of(tenantId).as(auth)
await measure('list with a rule of 1 in 50,000', () => mine.list('lead', { limit: 50 }), 3)
await measure('create', (n) => all.create('lead', { data: { name: `New ${n}` } }))
await measure('update', (n) => all.update('lead', page.items[n]!.id, { data: { budget: n + 0.5 } }))
await mongo.close(); await emb.close(); await rm(dir, { recursive: true, force: true }); process.exit(0)
