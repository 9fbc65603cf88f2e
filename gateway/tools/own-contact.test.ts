import { expect, test } from 'vitest'
import { authAs } from '../../test/harness/auth.ts'
import { meetsRows } from '../platform/rows.ts'
import { forContact } from './own-contact.ts'

const auth = forContact(authAs('ten_a'), 'cont_ann')

test('of what is about people, an agent that talks with somebody has that person’s rows only', () => {
  for (const type of ['deal', 'booking', 'invoice', 'submission', 'order']) {
    expect(meetsRows(auth.rows('entities', type), { data: { contactId: 'cont_ann' } }), type).toBe(true)
    for (const data of [{ contactId: 'cont_bob' }, {}, { contactId: null }])
      expect(meetsRows(auth.rows('entities', type), { data }), type).toBe(false)
  }
  expect(meetsRows(auth.rows('contacts'), { id: 'cont_ann' })).toBe(true)
  expect(meetsRows(auth.rows('contacts'), { id: 'cont_bob' })).toBe(false)
  for (const type of ['product', 'company', 'booking-resource', 'form', 'own-type'])
    expect(auth.rows('entities', type)).toEqual({ is: 'all' })
})

test('rows that a role left out stay out, also where there are several ways in', () => {
  const own = (value: string) => ({ is: 'field', field: 'data.owner', op: 'eq', values: [value] }) as const
  const some = forContact(
    authAs('ten_a', { rows: () => ({ is: 'some', anyOf: [[own('x')], [own('y')]] }) }),
    'cont_ann',
  )
  const meets = (data: object) => meetsRows(some.rows('entities', 'deal'), { data })
  expect([meets({ owner: 'x', contactId: 'cont_ann' }), meets({ owner: 'y', contactId: 'cont_ann' })]).toEqual([
    true,
    true,
  ])
  expect([meets({ owner: 'z', contactId: 'cont_ann' }), meets({ owner: 'x', contactId: 'cont_bob' })]).toEqual([
    false,
    false,
  ])
  expect(forContact(authAs('ten_a', { rows: () => ({ is: 'none' }) }), 'c').rows('contacts')).toEqual({ is: 'none' })
})
