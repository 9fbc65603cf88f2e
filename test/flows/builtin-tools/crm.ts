// People, companies and deals.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

const id = 'S000-22'
const idOf = (value: unknown): string => (value as { id: string }).id
const ann = { name: 'Ann Lee', email: 'ann@example.com', phone: '+49 170 1234567', company: 'Acme' }

async function contactsOf({ place, tenantId }: Scene) {
  const { identity } = place.gateway.app.slices
  return identity.contacts(identity.authFor.system(tenantId), { limit: 50 })
}

export const crmCases: readonly ToolCase[] = [
  {
    ...{ tool: 'create_contact', id, with: ['search_contacts', 'create_company', 'search_companies', 'create_deal'] },
    says: 'an agent makes a contact, a company and a deal and finds them again by search',
    config: {
      enabledTools: [
        'create_contact',
        'search_contacts',
        'create_company',
        'search_companies',
        'create_deal',
        'search_deals',
      ],
    },
    async run(scene) {
      const made = await scene.call('create_contact', ann)
      expect(made).toMatchObject({ isNew: true, contact: { name: 'Ann Lee', phone: '+491701234567' } })
      const contactId = idOf(made.contact)
      const { company } = await scene.call('create_company', { name: 'Acme Tools', city: 'Berlin' })
      const args = { title: 'Ten chairs', value: '1250.50', currency: 'eur', contactId, companyId: idOf(company) }
      expect(await scene.call('create_deal', args)).toMatchObject({
        deal: {
          value: '1250.50',
          data: { stage: 'new', valueMinor: 125_050, contactName: 'Ann Lee', companyName: 'Acme Tools' },
        },
      })
      expect(await scene.call('search_contacts', { query: 'ann' })).toMatchObject({
        count: 1,
        items: [{ id: contactId }],
      })
      expect(await scene.call('search_companies', { query: 'acme' })).toMatchObject({ count: 1 })
      expect(await scene.call('search_deals', { query: 'chairs', contactId })).toMatchObject({ count: 1 })
      expect((await contactsOf(scene)).map((each) => each.name)).toEqual(['Ann Lee'])
      expect(await scene.call('create_contact', { ...ann, name: 'Anna' })).toMatchObject({ isNew: false })
    },
  },
  {
    ...{ tool: 'search_contacts', id, with: ['create_contact'] },
    says: 'people are found by name, e-mail and number; who talks with the agent finds nobody else',
    async run(scene) {
      await scene.call('create_contact', ann)
      for (const query of [{ query: 'le' }, { email: 'ANN@example.com' }, { phone: '0049 170 1234567' }])
        expect(await scene.call('search_contacts', query)).toMatchObject({ count: 1, items: [{ name: 'Ann Lee' }] })
      const asMallory = { contact: { email: 'mallory@example.com' } }
      const told = await scene.call('search_contacts', { query: 'ann' }, asMallory)
      expect(told).toMatchObject({ count: 0 })
      expect(await scene.call('search_contacts', { email: 'ann@example.com' }, asMallory)).toMatchObject({ count: 0 })
    },
  },
  {
    ...{ tool: 'get_contact', id, with: ['create_contact'] },
    says: 'without an id it is who the agent talks with; another person’s id is not found',
    async run(scene) {
      const { contact } = await scene.call('create_contact', ann)
      expect(await scene.call('get_contact', { id: idOf(contact) })).toMatchObject({ contact: { name: 'Ann Lee' } })
      expect(await scene.call('get_contact', {})).toMatchObject({ error: { code: 'invalid' } })
      const bob = { contact: { email: 'bob@example.com' } }
      expect(await scene.call('get_contact', {}, bob)).toMatchObject({ contact: { email: 'bob@example.com' } })
      const stolen = await scene.call('get_contact', { id: idOf(contact) }, bob)
      expect(stolen).toMatchObject({ error: { code: 'not_found' } })
      expect(JSON.stringify(stolen)).not.toContain('Ann')
    },
  },
  {
    ...{ tool: 'update_contact', id, with: ['create_contact'] },
    says: 'it changes whom the agent talks with, and nobody else',
    async run(scene) {
      const { contact } = await scene.call('create_contact', ann)
      const bob = { contact: { email: 'bob@example.com' } }
      const own = await scene.call('update_contact', { name: 'Bob', email: 'ann@example.com' }, bob)
      expect(own).toMatchObject({ contact: { name: 'Bob', email: 'bob@example.com' } })
      const other = await scene.call('update_contact', { id: idOf(contact), name: 'Hacked' }, bob)
      expect(other).toMatchObject({ error: { code: 'not_found' } })
      expect(await scene.call('create_contact', { name: 'Bobby' }, bob)).toMatchObject({ isNew: false })
      expect((await contactsOf(scene)).map((each) => each.name).toSorted()).toEqual(['Ann Lee', 'Bobby'])
    },
  },
  {
    ...{ tool: 'create_company', id },
    says: 'a company is kept as a record of the tenant, once per call',
    async run(scene) {
      const told = await scene.call('create_company', { name: 'Acme', domain: 'acme.com', tags: ['vip'] })
      expect(told).toMatchObject({ company: { title: 'Acme', data: { domain: 'acme.com' } } })
      expect(await scene.call('create_company', { domain: 'x' })).toMatchObject({
        error: { code: 'invalid_arguments' },
      })
      expect(await scene.records('company')).toMatchObject([{ title: 'Acme' }])
    },
  },
  {
    ...{ tool: 'search_companies', id, with: ['create_company'] },
    says: 'companies are found by the beginnings of words, in the own tenant only',
    async run(scene) {
      await (await scene.another()).call('create_company', { name: 'Acme Canary' })
      await scene.call('create_company', { name: 'Acme Tools', industry: 'Hardware' })
      expect(await scene.call('search_companies', { query: 'hard acm' })).toMatchObject({ count: 1 })
      expect(JSON.stringify(await scene.call('search_companies', {}))).not.toContain('Canary')
    },
  },
  {
    ...{ tool: 'update_company', id, with: ['create_company'] },
    says: 'what is given is changed, the rest stays',
    async run(scene) {
      const { company } = await scene.call('create_company', { name: 'Acme', city: 'Berlin' })
      const told = await scene.call('update_company', { id: idOf(company), city: 'Paris' })
      expect(told).toMatchObject({ company: { data: { name: 'Acme', city: 'Paris' } } })
      expect(await scene.records('company')).toMatchObject([{ data: { name: 'Acme', city: 'Paris' } }])
    },
  },
  {
    ...{ tool: 'create_deal', id },
    says: 'a deal enters the pipeline with an exact value; a stage that the tenant does not have is refused',
    async run(scene) {
      expect(await scene.call('create_deal', { title: 'Chairs', value: 19.99, stage: 'sold' })).toMatchObject({
        error: { code: 'invalid', message: expect.stringContaining('new, qualified') },
      })
      expect(await scene.call('create_deal', { title: 'Chairs', value: 19.999 })).toMatchObject({
        error: { code: 'invalid' },
      })
      await scene.call('create_deal', { title: 'Chairs', value: 19.99, stage: 'proposal' })
      expect(await scene.records('deal')).toMatchObject([
        { data: { valueMinor: 1_999, currency: 'USD', stage: 'proposal' } },
      ])
    },
  },
  {
    ...{ tool: 'search_deals', id, with: ['create_deal'] },
    says: 'deals are found by stage and words; who talks with the agent finds the own ones only',
    async run(scene) {
      const bob = { contact: { email: 'bob@example.com' } }
      await scene.call('create_deal', { title: 'Chairs', stage: 'proposal' })
      await scene.call('create_deal', { title: 'Own tables' }, bob)
      expect(await scene.call('search_deals', { stage: 'proposal' })).toMatchObject({
        count: 1,
        items: [{ title: 'Chairs' }],
      })
      expect(await scene.call('search_deals', {}, bob)).toMatchObject({ count: 1, items: [{ title: 'Own tables' }] })
    },
  },
  {
    ...{ tool: 'update_deal', id, with: ['create_deal'] },
    says: 'a deal goes through the pipeline, and has its day when it is won',
    async run(scene) {
      const { deal } = await scene.call('create_deal', { title: 'Chairs', value: 90, currency: 'EUR' })
      const told = await scene.call('update_deal', { id: idOf(deal), stage: 'won', notes: 'signed', value: 100 })
      expect(told).toMatchObject({
        deal: { value: '100.00', data: { stage: 'won', notes: 'signed', currency: 'EUR' } },
      })
      const [stored] = await scene.records('deal')
      expect(stored?.data).toMatchObject({ valueMinor: 10_000, closedAt: expect.any(String) })
    },
  },
]
