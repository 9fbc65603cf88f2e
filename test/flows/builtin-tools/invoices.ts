// Bills.

import { expect } from 'vitest'
import { callEach, type ToolCase } from './scene.ts'

const id = 'S000-24'
const bill = {
  ...{ name: 'Ann Lee', email: 'ann@example.com', currency: 'EUR' },
  lines: [
    { description: 'Chair', quantity: 3, unitPrice: '19.99', taxPercent: 19 },
    { description: 'Hours', quantity: 1.5, unitPrice: 80, taxPercent: 7 },
  ],
}

export const invoiceCases: readonly ToolCase[] = [
  {
    ...{ tool: 'create_invoice', id },
    says: 'totals are exact, and ten at once have ten numbers without a gap',
    async run(scene) {
      expect(await scene.call('create_invoice', bill)).toMatchObject({
        invoice: { net: '179.97', tax: '19.79', total: '199.76', data: { number: 'INV-0001', totalMinor: 19_976 } },
      })
      const told = await callEach(
        scene,
        'create_invoice',
        Array.from({ length: 9 }, () => ({ args: bill })),
      )
      expect(told.filter((each) => each.error !== undefined)).toEqual([])
      const numbers = (await scene.records('invoice')).map((each) => each.data.number)
      expect(numbers.toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `INV-${String(i + 1).padStart(4, '0')}`))
      const finer = { ...bill, lines: [{ description: 'x', unitPrice: '0.001' }] }
      expect(await scene.call('create_invoice', finer)).toMatchObject({ error: { code: 'invalid' } })
    },
  },
  {
    ...{ tool: 'get_invoice', id, with: ['create_invoice'] },
    says: 'an invoice is read by its number; another person’s is not found',
    async run(scene) {
      await scene.call('create_invoice', bill)
      expect(await scene.call('get_invoice', { invoice: 'INV-0001' })).toMatchObject({ invoice: { total: '199.76' } })
      const bob = { contact: { email: 'bob@example.com' } }
      const told = await scene.call('get_invoice', { invoice: 'inv-0001' }, bob)
      expect(told).toMatchObject({ error: { code: 'not_found' } })
    },
  },
  {
    ...{ tool: 'search_invoices', id, with: ['create_invoice'] },
    says: 'invoices are found by customer and state',
    async run(scene) {
      await scene.call('create_invoice', bill)
      await scene.call('create_invoice', { ...bill, name: 'Bob', dueInDays: 0 })
      expect(await scene.call('search_invoices', { query: 'ann' })).toMatchObject({
        count: 1,
        items: [{ total: '199.76' }],
      })
      expect(await scene.call('search_invoices', { status: 'open' })).toMatchObject({ count: 2 })
      expect(await scene.call('search_invoices', { status: 'paid' })).toMatchObject({ count: 0 })
    },
  },
  {
    ...{ tool: 'send_payment_reminder', id, with: ['create_invoice'] },
    says: 'a reminder is sent once per request; one that cannot be sent is said not to be, and is not noted',
    async run(scene) {
      await scene.call('create_invoice', bill)
      const told = await scene.call('send_payment_reminder', { invoice: 'INV-0001' })
      expect(told).toMatchObject({ error: { code: 'unavailable' } })
      expect(await scene.records('invoice')).toMatchObject([{ data: { reminders: [] } }])
      await scene.secrets(scene.providers.secrets.resend)
      const before = scene.providers.resend.sent.length
      expect(await scene.call('send_payment_reminder', { invoice: 'INV-0001' })).toMatchObject({ sent: true })
      expect(scene.providers.resend.sent.slice(before)).toMatchObject([{ to: ['ann@example.com'] }])
      expect(await scene.records('invoice')).toMatchObject([{ data: { reminders: [{ to: 'ann@example.com' }] } }])
    },
  },
]
