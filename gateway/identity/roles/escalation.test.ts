import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Ability, abilities } from '../../platform/access.ts'
import { asTenantId } from '../../platform/ids.ts'
import { meetsRows } from '../../platform/rows.ts'
import { authContextOf } from './auth-context.ts'
import { builtinGrant, builtinRoleNames } from './builtin.ts'
import { beyond, beyondAbilities } from './escalation.ts'
import type { Grant } from './grant.ts'

const authOf = (grants: readonly Grant[]) =>
  authContextOf(asTenantId('ten_1'), { actor: { kind: 'operator', id: 'op_1', name: 'O' }, grants })

const kinds = ['a', 'b']
const policy = fc.record(
  {
    resource: fc.constantFrom('entities', 'agents', 'credits', '*'),
    action: fc.constantFrom('read', 'write', '*'),
    kind: fc.constantFrom(...kinds),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    priority: fc.integer({ min: 0, max: 3 }),
  },
  { requiredKeys: ['resource', 'action', 'effect', 'priority'] },
)
const grant: fc.Arbitrary<Grant> = fc
  .record({
    policies: fc.array(policy, { minLength: 1, maxLength: 4 }),
    scope: fc.option(
      fc.record({ of: fc.constantFrom('agent' as const, 'entity-type' as const), id: fc.constantFrom(...kinds) }),
    ),
    owns: fc.option(fc.constantFrom('op_1', 'op_2')),
    hides: fc.boolean(),
  })
  .map(({ policies, scope, owns, hides }) => ({
    ...{ role: 'r', policies },
    ...(scope === null ? {} : { scope }),
    rules:
      owns === null
        ? []
        : [
            {
              resource: 'entities',
              conditions: [{ is: 'field' as const, field: 'owner', op: 'in' as const, values: [owns] }],
            },
          ],
    masks: hides ? [{ resource: 'entities', field: 'price', how: 'hide' as const }] : [],
  }))
const builtin = fc.constantFrom(...builtinRoleNames).map(builtinGrant)
const people = fc.array(fc.oneof({ weight: 3, arbitrary: grant }, { weight: 1, arbitrary: builtin }), {
  minLength: 1,
  maxLength: 3,
})

const asked: readonly Ability[] = abilities.filter((each) => /^(entities|agents|credits|keys)\./.test(each))
const records = ['a', 'b', 'z'].flatMap((type) => ['op_1', 'op_2'].map((owner) => ({ type, owner, price: 5 })))

/** Everything that can be had. */
function had(grants: readonly Grant[]): ReadonlySet<string> {
  const auth = authOf(grants)
  const may = asked.flatMap((each) =>
    [...kinds, 'z'].flatMap((kind) => (auth.may(each, kind) ? [`${each} ${kind}`] : [])),
  )
  const seen = records.flatMap((each) => {
    if (!meetsRows(auth.rows('entities'), each)) return []
    const name = `${each.type} ${each.owner}`
    return auth.masked('entities', each).price === 5 ? [name, `${name} price`] : [name]
  })
  return new Set([...may, ...seen])
}

test('[S001-17] whoever gives themselves a role they may give has nothing more than before', () => {
  let given = 0
  fc.assert(
    fc.property(people, grant, (own, role) => {
      const { scope, policies } = role
      fc.pre(beyond(authOf(own), policies, scope) === undefined)
      given++
      const before = had(own)
      for (const each of had([...own, role])) expect(before, each).toContain(each)
    }),
    { numRuns: 400 },
  )
  expect(given).toBeGreaterThan(100)
})

test('[S001-17] whoever takes a role they may take from themselves has nothing more than before', () => {
  fc.assert(
    fc.property(people, grant, (own, role) => {
      const all = [...own, role]
      fc.pre(beyond(authOf(all), role.policies, role.scope) === undefined)
      const before = had(all)
      for (const each of had(own)) expect(before, each).toContain(each)
    }),
    { numRuns: 400 },
  )
})

test('[S001-17] only an owner makes an owner', () => {
  for (const name of builtinRoleNames) {
    const auth = authOf([builtinGrant(name)])
    expect(beyondAbilities(auth, abilities) === undefined, name).toBe(name === 'owner')
  }
})
