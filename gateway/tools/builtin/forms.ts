// Forms that the agent fills in with a person, and what was filled in.

import { z } from 'zod'
import type { Entities } from '../../entities/entities.ts'
import type { AuthContext } from '../../platform/access.ts'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import { answersTo } from '../forms/answers.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

export interface FormDeps {
  readonly entities: Entities
  readonly clock: Clock
}

const formKey = z.string().min(1).max(80).describe('Id or slug of the form')
const limit = z.int().min(1).max(50).optional()
const formsOf = ({ entities }: FormDeps, auth: AuthContext) => entities.of(auth.tenantId).as(auth).template('form')

export function formTools(deps: FormDeps): readonly BuiltinTool[] {
  return [list(deps), responses(deps), submit(deps)]
}

function list(deps: FormDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'list_forms', kind: 'forms.list_forms', category: 'forms', readOnly: true },
      description: 'Lists the forms that can be filled in, with their fields.',
    },
    z.strictObject({ query: z.string().min(1).max(200).optional(), limit }),
    async ({ query: q, limit: most = 10 }, { auth }) => {
      const forms = formsOf(deps, await auth())
      const { items } = await forms.list({ q, limit: most })
      const open = items.filter((each) => !forms.read(each).isClosed)
      return listResult(open.map((each) => ({ id: each.id, slug: each.slug, ...forms.read(each) })))
    },
  )
}

function responses({ entities }: FormDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'get_form_responses', kind: 'forms.get_form_responses', category: 'forms', readOnly: true },
      description: 'Reads what was filled in, newest first.',
    },
    z.strictObject({ form: formKey, limit }),
    async ({ form: key, limit: most = 10 }, context) => {
      const mine = entities.of(context.tenantId).as(await context.auth())
      const form = await mine.template('form').get(key)
      const { items, next } = await mine.template('submission').list({ where: { formId: form.id }, limit: most })
      return { form: form.title, ...listResult(items.map(shown)), ...(next === null ? {} : { more: true }) }
    },
  )
}

function submit({ entities, clock }: FormDeps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'create_form_submission', kind: 'forms.create_form_submission', category: 'forms' },
      ...{ readOnly: false, retry: 'keyed' },
      description: 'Hands in a filled in form; its answers must fit the form.',
    },
    z.strictObject({ form: formKey, values: z.looseObject({}).describe('By the names of the fields') }),
    async ({ form: key, values: given }, context) => {
      const mine = entities.of(context.tenantId).as(await context.auth())
      const view = await mine.template('form').get(key)
      const form = mine.template('form').read(view)
      if (form.isClosed) throw new Problem('conflict', 'This form is closed.')
      const answers = answersTo(form.fields, given)
      if (answers.is === 'unfit')
        throw new Problem('invalid', 'The answers do not fit the form.', { issues: answers.issues })
      const { contactId, channel, conversationId } = context
      const about = { formId: view.id, formTitle: form.title, contactId, channel, conversationId }
      const submittedAt = new Date(clock.now()).toISOString()
      const data = { ...about, values: answers.values, submittedAt }
      return { submission: shown(await mine.template('submission').create({ data, key: context.key })) }
    },
  )
}

const shown = ({ id, createdAt, data }: EntityView) => ({ id, createdAt, ...data })
