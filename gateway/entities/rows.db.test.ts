import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { recordsIn } from '../../test/harness/records.ts'
import { openTestStore, type TestStore } from '../../test/harness/store.ts'
import { eventCollections } from '../events/events.ts'
import type { AuthContext, RowCondition } from '../platform/access.ts'
import { asTenantId } from '../platform/ids.ts'
import { ensureIndexes } from '../platform/mongo.ts'
import { meets } from '../platform/rows.ts'
import type { EntityView } from '../protocol/records.ts'
import { entityCollections } from './entities.ts'

let store: TestStore
let records: ReturnType<typeof recordsIn>
beforeAll(async () => {
  store = await openTestStore()
  await ensureIndexes(store.db, [...entityCollections, ...eventCollections])
  records = recordsIn(store.db)
})
afterAll(() => store[Symbol.asyncDispose]())

const words = ['alder', 'alderman', 'birch', 'cedar', 'al']
const fields = ['data.owner', 'data.level', 'data.done', 'data.tags', 'slug', 'data.unknown', 'nonsense', 'createdBy']
const values = fc.constantFrom<string | number | boolean | null>(
  'ann',
  'bob',
  1,
  2,
  true,
  false,
  null,
  'x',
  'r0',
  'op_tester',
)

const row = fc.record(
  {
    name: fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 3 }).map((each) => each.join(' ')),
    secret: fc.constantFrom(...words),
    owner: fc.constantFrom('ann', 'bob'),
    level: fc.constantFrom(1, 2, 3),
    done: fc.boolean(),
    tags: fc.uniqueArray(fc.constantFrom('x', 'y'), { minLength: 1 }),
  },
  { requiredKeys: ['name', 'secret'] },
)
const condition: fc.Arbitrary<RowCondition> = fc.oneof(
  fc.record({
    is: fc.constant('field' as const),
    field: fc.constantFrom(...fields),
    op: fc.constantFrom('eq' as const, 'ne' as const, 'in' as const),
    values: fc.uniqueArray(values, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    is: fc.constant('relation' as const),
    relation: fc.constantFrom('of', 'by'),
    to: fc.constantFrom('r0', 'r1'),
  }),
)
const rules = fc.array(fc.array(condition, { maxLength: 3 }), { maxLength: 3 })
const links = fc.uniqueArray(fc.record({ from: fc.nat(5), relation: fc.constantFrom('of', 'by'), to: fc.nat(1) }), {
  selector: (each) => JSON.stringify(each),
  maxLength: 6,
})
const scenario = fc.record({
  rows: fc.array(row, { minLength: 6, maxLength: 9 }),
  rules,
  links,
  isMasked: fc.boolean(),
  q: fc.constantFrom('al', 'alder', 'alderm', 'birch al', 'cedar', 'zzz'),
})
const declared = new Set(['data.owner', 'data.level', 'data.done', 'data.tags', 'slug', 'createdBy'])

let count = 0
async function plant({
  rows,
  links: linked,
}: {
  rows: object[]
  links: { from: number; relation: string; to: number }[]
}) {
  const tenantId = asTenantId(`ten_${count++}`)
  const all = records.entities.of(tenantId).as(authAs(tenantId))
  const schema = {
    type: 'object',
    properties: {
      ...{
        name: { type: 'string' },
        secret: { type: 'string' },
        owner: { type: 'string' },
        level: { type: 'integer' },
      },
      ...{ done: { type: 'boolean' }, tags: { type: 'array', items: { type: 'string' } } },
    },
  }
  await all.createType('thing', {
    name: 'Thing',
    description: '',
    schema,
    searchFields: ['name', 'secret'],
    titleField: 'name',
  })
  const made = await Promise.all(
    rows.map((data, n) => all.create('thing', { slug: `r${n}`, data: { ...data, note: `canary${tenantId}r${n}.` } })),
  )
  for (const { from, relation, to } of linked)
    await all.link('thing', `r${from}`, { relation, to: { type: 'thing', key: `r${to}` } })
  return { tenantId, all, made }
}

test('[S001-19] lists, searches, counts and single reads agree with the plain rule, for any rules and rows', async () => {
  await plant({ rows: [{ name: 'alder', secret: 'birch', owner: 'ann' }], links: [] })
  await fc.assert(
    fc.asyncProperty(scenario, async (drawn) => {
      const { tenantId, made } = await plant(drawn)
      const idOf = (slug: string) => made.find((each) => each.slug === slug)?.id ?? slug
      const named = drawn.rules.map((list) =>
        list.map((each) => (each.is === 'relation' ? { ...each, to: idOf(each.to) } : each)),
      )
      const has = (record: EntityView, each: RowCondition) =>
        each.is === 'relation'
          ? drawn.links.some(
              (link) =>
                `r${link.from}` === record.slug && link.relation === each.relation && idOf(`r${link.to}`) === each.to,
            )
          : declared.has(each.field) && meets(record, each)
      const isMine = (record: EntityView) => named.some((list) => list.every((each) => has(record, each)))
      const masks: Partial<AuthContext> = drawn.isMasked
        ? {
            sees: (_resource, field) => !['data', 'data.secret'].includes(field),
            masked: (_resource, record) =>
              JSON.parse(JSON.stringify(record, (key, value) => (key === 'secret' ? undefined : value))),
          }
        : {}
      const auth = authAs(tenantId, {
        ...masks,
        rows: (resource) => (resource === 'entities' ? { is: 'some', anyOf: named } : { is: 'all' }),
      })
      const mine = records.entities.of(tenantId).as(auth)
      const expected = made.filter(isMine)
      const slugs = (items: readonly { slug: string }[]) => items.map((each) => each.slug).sort()
      const listed = await mine.list('thing', { limit: 50 })
      expect(slugs(listed.items)).toEqual(slugs(expected))
      expect(await mine.count('thing', {})).toBe(expected.length)
      const texts = (record: EntityView) =>
        [record.data.name, ...(drawn.isMasked ? [] : [record.data.secret])].join(' ').split(' ')
      const hits = expected.filter((record) =>
        drawn.q.split(' ').every((word) => texts(record).some((each) => each.startsWith(word))),
      )
      const searched = await mine.list('thing', { q: drawn.q, limit: 50 })
      expect(slugs(searched.items)).toEqual(slugs(hits))
      expect(await mine.count('thing', { q: drawn.q })).toBe(hits.length)
      const asked = await mine.list('thing', { where: { owner: 'ann' }, sort: '-level', limit: 50 })
      expect(slugs(asked.items)).toEqual(slugs(expected.filter((each) => each.data.owner === 'ann')))
      const single = await Promise.all(
        made.map((each) =>
          mine.get('thing', each.id).then(
            () => true,
            () => false,
          ),
        ),
      )
      expect(single).toEqual(made.map(isMine))
      const log = await records.events.of(tenantId).as(auth).list({ limit: 200 })
      // The schema of a type names its fields to everybody who reads the type.
      const events = log.items.filter((each) => each.entity?.type === 'thing')
      const relations = await Promise.all(expected.map((each) => mine.relations('thing', each.id, { limit: 50 })))
      const told = JSON.stringify([listed, searched, asked, events])
      for (const record of made) {
        if (!isMine(record)) expect(told).not.toContain(record.data.note)
        if (!isMine(record)) expect(JSON.stringify(relations)).not.toContain(record.id)
      }
      if (drawn.isMasked) expect(told).not.toContain('"secret"')
      for (const [, other] of told.matchAll(/canary(ten_\d+)r/g)) expect(other).toBe(tenantId)
    }),
    { numRuns: 12 },
  )
}, 120_000)
