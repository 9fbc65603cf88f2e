// People, companies and deals. A person is one contact over all channels; an agent that talks with somebody writes down what
// that person says of themselves, and sees others only where a role lets it.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { ContactBook, ContactDetails, Identity } from '../../identity/identity.ts'
import { Problem } from '../../platform/problem.ts'
import { amountField, currencyField, minorAmount, wholeText } from '../amounts.ts'
import { type BuiltinTool, builtin, listResult, type ToolContext } from '../tool.ts'

export interface CrmDeps {
  readonly entities: Entities
  readonly identity: Pick<Identity, 'contactBook'>
}

export function crmTools(deps: CrmDeps): readonly BuiltinTool[] {
  return [...contactTools(deps), ...companyTools(deps), ...dealTools(deps)]
}

const id = z.string().min(1).max(80)
const text = z.string().trim().min(1).max(200)
const limit = z.int().min(1).max(20).optional()
const details = {
  name: text.optional(),
  email: z.email().max(254).optional(),
  phone: z.string().max(40).describe('With its country, e.g. +49 170 1234567').optional(),
  company: text.optional(),
  jobTitle: text.optional(),
  notes: z.string().max(4_000).optional(),
  tags: z.array(z.string().min(1).max(60)).max(40).optional(),
}
const kind = { category: 'crm', readOnly: true } as const
const writing = { category: 'crm', readOnly: false, retry: 'keyed' } as const

function contactTools({ identity }: CrmDeps): readonly BuiltinTool[] {
  return [
    builtin(
      {
        ...{ ...writing, name: 'create_contact', kind: 'crm.create_contact' },
        description:
          'Writes down a person with name, e-mail address and phone number. In a conversation with a person it writes down what they say of themselves.',
      },
      z.strictObject(details).refine(saysWho, 'needs a name, an e-mail address or a phone number'),
      async (args, context) => {
        const auth = await context.auth()
        const book = identity.contactBook(auth)
        // Whoever sees one person only writes that person down.
        const own = auth.rows('contacts').is === 'all' ? undefined : context.contactId
        if (own === undefined) return { ...(await book.create(args, context.key)) }
        return { contact: await book.update(own, args), isNew: false }
      },
    ),
    builtin(
      {
        ...{ ...kind, name: 'search_contacts', kind: 'crm.search_contacts' },
        description: 'Finds people by name, company, e-mail address or phone number.',
      },
      z
        .strictObject({
          query: z.string().min(1).max(200).describe('Beginnings of words of name or company').optional(),
          email: z.string().max(254).optional(),
          phone: details.phone,
          limit,
        })
        .refine((args) => args.query ?? args.email ?? args.phone, 'needs words, an e-mail address or a phone number'),
      async ({ query: q, limit: most = 8, ...known }, { auth }) =>
        listResult(await identity.contactBook(await auth()).search({ q, ...known, limit: most })),
    ),
    builtin(
      {
        ...{ ...kind, name: 'get_contact', kind: 'crm.get_contact' },
        description: 'Reads one person; without an id, the one in this conversation.',
      },
      z.strictObject({ id: id.optional() }),
      async (args, context) => ({ contact: await (await bookOf(identity, context)).get(whom(args, context)) }),
    ),
    builtin(
      {
        ...{ ...writing, name: 'update_contact', kind: 'crm.update_contact', retry: 'again' },
        description: 'Changes what is written down about a person; without an id, about the one in this conversation.',
      },
      z.strictObject({ id: id.optional(), ...details }),
      async ({ id: given, ...changes }, context) => ({
        contact: await (await bookOf(identity, context)).update(whom({ id: given }, context), changes),
      }),
    ),
  ]
}

const saysWho = ({ name, email, phone }: ContactDetails): boolean => (name ?? email ?? phone) !== undefined

const bookOf = async (identity: CrmDeps['identity'], { auth }: ToolContext): Promise<ContactBook> =>
  identity.contactBook(await auth())

/** A model that names nobody means whom it talks with. */
function whom({ id: given }: { readonly id?: string | undefined }, { contactId }: ToolContext): string {
  const known = given ?? contactId
  if (known === undefined) throw new Problem('invalid', 'Whom this is about is not known here: it needs an id.')
  return known
}

const company = {
  domain: z.string().max(253).describe('As in its e-mail addresses').optional(),
  industry: z.string().max(100).optional(),
  employees: z.int().min(0).max(10_000_000).optional(),
  email: details.email,
  phone: z.string().max(40).optional(),
  website: z.string().max(500).optional(),
  address: z.string().max(500).optional(),
  city: z.string().max(100).optional(),
  country: z.string().max(100).optional(),
  notes: details.notes,
  tags: details.tags,
}

function companyTools({ entities }: CrmDeps): readonly BuiltinTool[] {
  const companies = async ({ tenantId, auth }: ToolContext) =>
    entities
      .of(tenantId)
      .as(await auth())
      .template('company')
  return [
    builtin(
      { ...writing, name: 'create_company', kind: 'crm.create_company', description: 'Writes down a company.' },
      z.strictObject({ name: text, ...company }),
      async (data, context) => ({ company: await (await companies(context)).create({ data, key: context.key }) }),
    ),
    builtin(
      {
        ...{ ...kind, name: 'search_companies', kind: 'crm.search_companies' },
        description: 'Finds companies by the beginnings of words of name, industry, city or notes.',
      },
      z.strictObject({ query: z.string().min(1).max(200).optional(), limit }),
      async ({ query, limit: most = 8 }, context) => {
        const { items, next } = await (await companies(context)).list({ q: query, limit: most })
        return { ...listResult(items), ...(next === null ? {} : { more: true }) }
      },
    ),
    builtin(
      {
        ...{ ...writing, name: 'update_company', kind: 'crm.update_company', retry: 'again' },
        description: 'Changes a company.',
      },
      z.strictObject({ id, name: text.optional(), ...company }),
      async ({ id: key, ...data }, context) => ({ company: await (await companies(context)).update(key, { data }) }),
    ),
  ]
}

const deal = {
  value: amountField.optional(),
  currency: currencyField.optional(),
  stage: z
    .string()
    .min(1)
    .max(60)
    .describe('new, qualified, proposal, negotiation, won, lost unless changed')
    .optional(),
  contactId: id.optional(),
  companyId: id.describe('Id or slug of a company').optional(),
  probability: z.int().min(0).max(100).describe('Percent').optional(),
  expectedCloseOn: z.iso.date().optional(),
  lostReason: z.string().max(500).optional(),
  notes: details.notes,
}

function dealTools(deps: CrmDeps): readonly BuiltinTool[] {
  const deals = async ({ tenantId, auth }: ToolContext) =>
    deps.entities
      .of(tenantId)
      .as(await auth())
      .template('deal')
  return [
    builtin(
      { ...writing, name: 'create_deal', kind: 'crm.create_deal', description: 'Puts a deal into the sales pipeline.' },
      z.strictObject({ title: text, ...deal }),
      async ({ title, ...rest }, context) => {
        const data = { title, ...(await dealData(deps, context, { contactId: context.contactId, ...rest })) }
        const stage = data.stage ?? (await stagesOf(deps, context))[0]
        return { deal: shownDeal(await (await deals(context)).create({ data: { ...data, stage }, key: context.key })) }
      },
    ),
    builtin(
      {
        ...{ ...kind, name: 'search_deals', kind: 'crm.search_deals' },
        description: 'Finds deals by words, stage, person or company, newest first.',
      },
      z.strictObject({
        query: z.string().min(1).max(200).optional(),
        stage: z.string().max(60).optional(),
        contactId: id.optional(),
        companyId: id.optional(),
        limit,
      }),
      async ({ query: q, limit: most = 8, ...where }, context) => {
        const { items, next } = await (await deals(context)).list({ q, where: conditions(where), limit: most })
        return { ...listResult(items.map(shownDeal)), ...(next === null ? {} : { more: true }) }
      },
    ),
    builtin(
      {
        ...{ ...writing, name: 'update_deal', kind: 'crm.update_deal', retry: 'again' },
        description: 'Changes a deal: its stage in the pipeline, its value, its notes.',
      },
      z.strictObject({ id, title: text.optional(), ...deal }),
      async ({ id: key, title, ...rest }, context) => {
        const mine = await deals(context)
        // A value without a currency is in the deal's own.
        const { currency } = mine.read(await mine.get(key))
        const data = await dealData(deps, context, { currency, ...rest })
        const changed = await mine.change(key, () => ({ title, ...data }))
        return { deal: shownDeal(changed) }
      },
    ),
  ]
}

const closing: ReadonlySet<string> = new Set(['won', 'lost'])

type DealArgs = z.output<z.ZodObject<typeof deal>>

/** As it is stored: names beside ids, amounts as integers, the end of the pipeline with its day. */
async function dealData(deps: CrmDeps, context: ToolContext, { value, companyId, contactId, ...rest }: DealArgs) {
  const { stage, currency = 'USD' } = rest
  if (stage !== undefined) await checkStage(deps, context, stage)
  const records = deps.entities.of(context.tenantId).as(await context.auth())
  const company = companyId === undefined ? undefined : await records.template('company').get(companyId)
  const contact = contactId === undefined ? undefined : await (await bookOf(deps.identity, context)).get(contactId)
  return {
    ...rest,
    ...(value === undefined ? {} : { valueMinor: minorAmount(value, currency), currency }),
    ...(company === undefined ? {} : { companyId: company.id, companyName: company.title ?? undefined }),
    ...(contact === undefined ? {} : { contactId: contact.id, contactName: contact.name ?? undefined }),
    ...(stage !== undefined && closing.has(stage) ? { closedAt: new Date().toISOString() } : {}),
  }
}

async function checkStage(deps: CrmDeps, context: ToolContext, stage: string): Promise<void> {
  const stages = await stagesOf(deps, context)
  if (stages.length > 0 && !stages.includes(stage))
    throw new Problem('invalid', `The stages here are ${stages.join(', ')}.`, {
      issues: [{ path: 'stage', message: `one of ${stages.join(', ')}` }],
    })
}

const stagedSchema = z.object({ properties: z.object({ stage: z.object({ enum: z.array(z.string()) }) }) })

/** The pipeline is the tenant's own: it stands in the type. Empty: any word. */
async function stagesOf({ entities }: CrmDeps, { tenantId, auth }: ToolContext): Promise<readonly string[]> {
  await entities.of(tenantId).ensure(['deal'])
  const { schema } = await entities
    .of(tenantId)
    .as(await auth())
    .getType('deal')
  return stagedSchema.safeParse(schema).data?.properties.stage.enum ?? []
}

/** Conditions that were asked for. */
function conditions(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

const shownDeal = (view: { readonly data: Readonly<Record<string, unknown>> }) => ({
  ...view,
  value: wholeText(view.data.valueMinor, view.data.currency),
})
