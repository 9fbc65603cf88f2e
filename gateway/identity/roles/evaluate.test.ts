import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Ability, abilities, type RowCondition } from '../../platform/access.ts'
import { asTenantId } from '../../platform/ids.ts'
import { meetsRows } from '../../platform/rows.ts'
import { authContextOf } from './auth-context.ts'
import { builtinGrant, builtinRole, builtinRoles, keyCeiling } from './builtin.ts'
import type { Grant, Policy } from './grant.ts'

const tenantId = asTenantId('ten_1')
const auth = (...grants: readonly Grant[]) =>
  authContextOf(tenantId, { actor: { kind: 'operator', id: 'op_1', name: 'O' }, grants })
const grant = (own: Partial<Grant>): Grant => ({ role: 'r', policies: [], rules: [], masks: [], ...own })
const policy = (ability: string, own: Partial<Policy> = {}): Policy => {
  const [resource = '', action = ''] = ability.split('.')
  return { resource, action, effect: 'allow', priority: 0, ...own }
}
const field = (name: string, ...values: readonly string[]): RowCondition => ({
  is: 'field',
  field: name,
  op: 'in',
  values,
})

const policies = fc.record({
  resource: fc.constantFrom('entities', 'agents', 'sessions', '*'),
  action: fc.constantFrom('read', 'write', '*'),
  effect: fc.constantFrom('allow' as const, 'deny' as const),
  priority: fc.integer({ min: 0, max: 3 }),
})
const kinds = ['a', 'b', 'c']
const scopes = fc.option(
  fc.record({ of: fc.constantFrom('agent' as const, 'entity-type' as const), id: fc.constantFrom(...kinds) }),
)
const grants = fc.array(
  fc.record({ policies: fc.array(policies, { maxLength: 4 }), scope: scopes, rule: fc.boolean(), mask: fc.boolean() }),
  { maxLength: 4 },
)
type Drawn = typeof grants extends fc.Arbitrary<infer T> ? T : never
const drawn = (list: Drawn): Grant[] =>
  list.map(({ policies: own, scope, rule, mask }) => ({
    ...grant({ policies: own }),
    ...(scope === null ? {} : { scope }),
    rules: rule ? [{ resource: 'entities', conditions: [field('data.owner', 'actor.id')] }] : [],
    masks: mask ? [{ resource: 'entities', field: 'data.price', how: 'hide' }] : [],
  }))
const asked: readonly Ability[] = ['entities.read', 'entities.write', 'agents.read', 'sessions.read']

/** Everything that can be asked of it. */
const answers = (list: readonly Grant[]) => {
  const it = auth(...list)
  return asked.flatMap((ability) =>
    [undefined, ...kinds, 'z'].map((kind) => ({
      may: it.may(ability, kind),
      rows: ['a', 'b', 'z'].map((type) => meetsRows(it.rows('entities', kind), { type, data: { owner: 'op_1' } })),
      masked: it.masked('entities', { type: 'a', data: { price: 1, owner: 'op_1' } }, kind),
      sees: it.sees('entities', 'data.price', kind),
    })),
  )
}

describe('policies', () => {
  test('[S001-18] the order of grants and of their policies decides nothing', () => {
    fc.assert(
      fc.property(grants, (list) => {
        const turned = drawn(list)
          .reverse()
          .map((each) => ({ ...each, policies: [...each.policies].reverse() }))
        expect(answers(turned)).toEqual(answers(drawn(list)))
      }),
    )
  })

  test('[S001-18] a denial at equal or higher priority beats every allowance', () => {
    fc.assert(
      fc.property(grants, fc.integer({ min: 3, max: 9 }), (list, priority) => {
        const denial = grant({ policies: [policy('entities.*', { effect: 'deny', priority })] })
        const it = auth(...drawn(list), denial)
        for (const kind of [undefined, ...kinds]) {
          expect(it.may('entities.read', kind)).toBe(false)
          expect(it.rows('entities', kind)).toEqual({ is: 'none' })
        }
      }),
    )
  })

  test('[S001-18] an allowance above a denial stands, one at its priority does not', () => {
    const denied = policy('entities.read', { effect: 'deny', priority: 2 })
    const allowed = (priority: number) => policy('entities.read', { priority })
    expect(auth(grant({ policies: [denied, allowed(3)] })).may('entities.read')).toBe(true)
    expect(auth(grant({ policies: [denied, allowed(2)] })).may('entities.read')).toBe(false)
    expect(auth(grant({ policies: [denied, allowed(1)] })).may('entities.read')).toBe(false)
  })

  test('[S001-18] a policy for one kind says nothing of another', () => {
    const it = auth(
      grant({ policies: [policy('entities.*'), policy('entities.*', { kind: 'invoice', effect: 'deny' })] }),
    )
    expect(it.may('entities.read', 'invoice')).toBe(false)
    expect(it.may('entities.read', 'product')).toBe(true)
    expect(it.may('entities.read')).toBe(true)
    expect(meetsRows(it.rows('entities'), { type: 'invoice' })).toBe(false)
    expect(meetsRows(it.rows('entities'), { type: 'product' })).toBe(true)
  })

  test('[S001-18] more is never less: a grant that only allows takes nothing away', () => {
    fc.assert(
      fc.property(grants, grants, (list, more) => {
        const added = drawn(more).map((each) => ({
          ...each,
          policies: each.policies.filter((one) => one.effect === 'allow'),
        }))
        const before = answers(drawn(list))
        const after = answers([...drawn(list), ...added])
        before.forEach((each, i) => {
          if (each.may) expect(after[i]?.may).toBe(true)
          each.rows.forEach((seen, row) => {
            if (seen) expect(after[i]?.rows[row]).toBe(true)
          })
        })
      }),
    )
  })
})

describe('scope', () => {
  test('[S001-4] a role scoped to one agent gives nothing on another, and nothing on what has no agent', () => {
    const scoped = grant({ policies: [policy('*.*')], scope: { of: 'agent', id: 'agt_x' } })
    const it = auth(scoped)
    expect(it.may('agents.read', 'agt_x')).toBe(true)
    expect(it.may('chat.create', 'agt_x')).toBe(true)
    expect(it.may('agents.read')).toBe(true)
    expect(it.may('agents.read', 'agt_y')).toBe(false)
    for (const ability of ['entities.read', 'keys.write', 'team.write', 'credits.write'] as const)
      expect(it.may(ability), ability).toBe(false)
    expect(it.may('entities.read', 'agt_x')).toBe(false)
    expect(it.rows('agents')).toEqual({ is: 'some', anyOf: [[field('id', 'agt_x')]] })
    expect(it.rows('agents', 'agt_y')).toEqual({ is: 'none' })
    expect(it.rows('entities')).toEqual({ is: 'none' })
  })

  test('[S001-4] whatever a scoped role holds, other kinds are as if it were not there', () => {
    fc.assert(
      fc.property(grants, fc.array(policies, { maxLength: 6 }), (list, own) => {
        const scoped = grant({ policies: own, scope: { of: 'agent', id: 'only' } })
        for (const ability of asked) {
          const kind = ability.startsWith('agents.') || ability.startsWith('sessions.') ? 'a' : undefined
          expect(auth(...drawn(list), scoped).may(ability, kind)).toBe(auth(...drawn(list)).may(ability, kind))
        }
      }),
    )
  })
})

describe('rows', () => {
  const own = grant({
    policies: [policy('entities.read')],
    rules: [{ resource: 'entities', kind: 'lead', conditions: [field('data.owner', 'actor.id')] }],
  })

  test('[S001-19] a rule leaves only the rows that meet it, with the caller’s own id filled in', () => {
    const it = auth(own)
    expect(it.rows('entities', 'lead')).toEqual({ is: 'some', anyOf: [[field('data.owner', 'op_1')]] })
    expect(it.rows('entities', 'product')).toEqual({ is: 'all' })
    const sees = (record: object) => meetsRows(it.rows('entities'), record)
    expect(sees({ type: 'lead', data: { owner: 'op_1' } })).toBe(true)
    expect(sees({ type: 'lead', data: { owner: 'op_2' } })).toBe(false)
    expect(sees({ type: 'product', data: {} })).toBe(true)
  })

  test('[S001-19] two roles together show what either shows', () => {
    const wide = grant({ policies: [policy('entities.read')] })
    expect(auth(own, wide).rows('entities', 'lead')).toEqual({ is: 'all' })
    const denied = grant({ policies: [policy('entities.read', { effect: 'deny' })] })
    expect(auth(own, denied).rows('entities', 'lead')).toEqual({ is: 'none' })
    const high = { ...own, policies: [policy('entities.read', { priority: 5 })] }
    // The denial beats the wide role, so that its rows are not shown by the narrow one's allowance.
    expect(auth(high, wide, denied).rows('entities', 'lead')).toEqual(auth(high).rows('entities', 'lead'))
  })

  test('[S001-19] a relation is told to the query, and a record at hand never counts as having it', () => {
    const it = auth(
      grant({
        policies: [policy('entities.read')],
        rules: [{ resource: 'entities', conditions: [{ is: 'relation', relation: 'teaches', to: 'actor.id' }] }],
      }),
    )
    expect(it.rows('entities', 'x')).toEqual({
      is: 'some',
      anyOf: [[{ is: 'relation', relation: 'teaches', to: 'op_1' }]],
    })
    expect(meetsRows(it.rows('entities'), { type: 'x', teaches: 'op_1' })).toBe(false)
  })
})

describe('masks', () => {
  const record = { type: 'lead', data: { phone: '+41', name: 'A', items: [{ cost: 1, label: 'x' }] } }
  const masking = (how: 'hide' | 'redact', name: string) =>
    grant({ policies: [policy('entities.read')], masks: [{ resource: 'entities', kind: 'lead', field: name, how }] })

  test('[S001-20] a hidden field is gone and a redacted one tells only that it is there, in lists too', () => {
    expect(auth(masking('hide', 'data.phone')).masked('entities', record)).toEqual({
      ...record,
      data: { name: 'A', items: record.data.items },
    })
    const items = auth(masking('redact', 'data.items.cost')).masked('entities', record).data.items
    expect(items).toEqual([{ cost: '[redacted]', label: 'x' }])
    expect(record.data.items[0]?.cost).toBe(1)
  })

  test('[S001-20] a mask is of its kind, and a role that shows the field shows it', () => {
    const it = auth(masking('hide', 'data.phone'))
    expect(it.masked('entities', { ...record, type: 'shop' }).data.phone).toBe('+41')
    const plain = grant({ policies: [policy('entities.read')] })
    expect(auth(masking('hide', 'data.phone'), plain).masked('entities', record).data.phone).toBe('+41')
    expect(auth(masking('hide', 'data'), masking('redact', 'data.phone')).masked('entities', record).data.phone).toBe(
      '[redacted]',
    )
  })

  test('[S001-20] a role that does not show this row unmasks nothing in it', () => {
    const elsewhere = grant({
      policies: [policy('entities.read')],
      rules: [{ resource: 'entities', conditions: [field('data.name', 'B')] }],
    })
    expect(auth(masking('hide', 'data.phone'), elsewhere).masked('entities', record).data).not.toHaveProperty('phone')
  })

  test('[S001-20] a masked field cannot be searched, sorted or filtered by', () => {
    const it = auth(masking('redact', 'data.phone'))
    expect(it.sees('entities', 'data.phone', 'lead')).toBe(false)
    expect(it.sees('entities', 'data', 'lead')).toBe(false)
    expect(it.sees('entities', 'data.phone.digits', 'lead')).toBe(false)
    expect(it.sees('entities', 'data.name', 'lead')).toBe(true)
    expect(it.sees('entities', 'data.phone', 'shop')).toBe(true)
    expect(it.sees('entities', 'data.phone')).toBe(false)
  })

  test('[S001-20] a path through what an object inherits does nothing', () => {
    const it = auth(masking('redact', '__proto__.polluted'))
    it.masked('entities', record)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })
})

describe('the roles every tenant has', () => {
  test('the owner may everything, whatever denies it', () => {
    const denials = grant({ policies: [policy('*.*', { effect: 'deny', priority: 100 })] })
    const it = auth(builtinGrant('owner'), denials)
    expect(abilities.filter((each) => !it.may(each))).toEqual([])
  })

  test('roles from before read as what they are now', () => {
    expect([builtinRole('member'), builtinRole('viewer'), builtinRole('owner'), builtinRole('role_x')]).toEqual([
      ...['operator', 'client', 'owner'],
      undefined,
    ])
  })

  test('[S001-3] no key can be given what makes keys, people, secrets or credit', () => {
    for (const ability of ['keys.write', 'team.write', 'roles.write', 'secrets.read', 'credits.write'] as const)
      expect(keyCeiling).not.toContain(ability)
    expect(builtinRoles.service.filter((each) => !keyCeiling.includes(each))).toEqual([])
  })
})
