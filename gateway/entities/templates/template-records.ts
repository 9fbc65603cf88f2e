// Records of one template as one caller may read and change them: typed, installed when first needed, made once per key.

import type { Actor, AuthContext } from '../../platform/access.ts'
import type { PageQuery } from '../../platform/cursor.ts'
import type { TenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { EntityView } from '../../protocol/records.ts'
import type { Page } from '../../protocol/rest.ts'
import { type CallerRecords, callerRecords, type RecordPatch, type RecordsDeps } from '../caller-records.ts'
import { newEvent } from '../outbox.ts'
import type { RecordQuery } from '../record-query.ts'
import { maxTypes } from '../type-store.ts'
import { type TemplateData, type TemplateInput, type TemplateName, templates } from './templates.ts'

export interface TemplateRecords<T extends TemplateName> {
  /** With a `key`, whoever comes second gets what was made first. */
  create(record: NewTemplateRecord<T>): Promise<EntityView>
  /** What was made under this key. */
  made(key: string): Promise<EntityView | undefined>
  /** By id or slug. */
  get(key: string): Promise<EntityView>
  list(query: RecordQuery & PageQuery): Promise<Page<EntityView>>
  count(query: RecordQuery): Promise<number>
  /** `data` as a JSON merge patch. `conflict` when `rev` is given and is not the record's any more. */
  update(key: string, patch: RecordPatch): Promise<EntityView>
  /** As it is now decides what it becomes; asked again when somebody else was faster. Undefined: it stays. */
  change(key: string, patchOf: (data: TemplateData<T>, view: EntityView) => object | undefined): Promise<EntityView>
  /** The data of one, typed. `unsupported`: the tenant's own type of that name is not like the template, or hides what is needed. */
  read(view: EntityView): TemplateData<T>
}

export interface NewTemplateRecord<T extends TemplateName> {
  readonly data: TemplateInput<T>
  readonly slug?: string | undefined
  /** Idempotency key: of a tool call, `context.key`. */
  readonly key?: string | undefined
}

/** Others changed the same record that often in between. */
const maxTries = 5

export function templateRecords<T extends TemplateName>(
  deps: RecordsDeps,
  { tenantId, auth }: { readonly tenantId: TenantId; readonly auth: AuthContext },
  name: T,
): TemplateRecords<T> {
  const records: CallerRecords = callerRecords(deps, tenantId, auth)
  const installed = () => ensureTemplates(deps, tenantId, [name])
  const read = (view: EntityView): TemplateData<T> => readAs(name, view)
  return {
    read,
    async create({ data, ...rest }) {
      const parsed = templates[name].data.safeParse(data)
      if (!parsed.success) throw unfit(name, parsed.error.issues)
      await installed()
      return records.create(name, { ...rest, data: parsed.data }).catch((error: unknown) => {
        // It fits the template: then it is the tenant's own type that it does not fit.
        if (error instanceof Problem && error.code === 'invalid') throw ownType(name, error)
        throw error
      })
    },
    made: async (key) => installed().then(() => records.made(name, key)),
    get: async (key) => installed().then(() => records.get(name, key)),
    list: async (query) => installed().then(() => records.list(name, query)),
    count: async (query) => installed().then(() => records.count(name, query)),
    update: async (key, patch) => installed().then(() => records.update(name, key, patch)),
    async change(key, patchOf) {
      await installed()
      for (let attempt = 1; ; attempt++) {
        const view = await records.get(name, key)
        const data = patchOf(read(view), view)
        if (data === undefined) return view
        try {
          return await records.update(name, view.id, { data, rev: view.rev })
        } catch (error) {
          if (!(error instanceof Problem) || error.code !== 'conflict' || attempt === maxTries) throw error
        }
      }
    },
  }
}

function readAs<T extends TemplateName>(name: T, view: EntityView): TemplateData<T> {
  // More fields than the template's are the tenant's own.
  const parsed = templates[name].data.strip().safeParse(view.data)
  if (parsed.success) return parsed.data as TemplateData<T>
  throw ownType(name, unfit(name, parsed.error.issues))
}

type Issues = readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]

const unfit = (name: TemplateName, issues: Issues) =>
  new Problem('invalid', `The ${name} has a wrong value.`, {
    issues: issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
  })

const ownType = (name: TemplateName, { details: { issues } }: Problem) =>
  new Problem('unsupported', `Here ${name} is a type of its own, which this does not fit.`, {
    ...(issues === undefined ? {} : { issues }),
  })

const gateway: Actor = { kind: 'system', id: 'system', name: 'Parley' }

/** Those types that the tenant does not have: a type of that slug, wherever it comes from, is used as it is. */
export async function ensureTemplates(
  { types, log, clock }: Pick<RecordsDeps, 'types' | 'log' | 'clock'>,
  tenantId: TenantId,
  names: readonly TemplateName[],
): Promise<void> {
  for (const name of names) {
    const { slug, fields } = templates[name]
    if ((await types.find(tenantId, slug)) !== undefined) continue
    if ((await types.list(tenantId)).length >= maxTypes)
      throw new Problem('conflict', `A tenant has at most ${maxTypes} entity types.`)
    const event = newEvent('entity-type.created', {
      ...{ actor: gateway, entity: { type: 'entity-type', id: slug }, nowMs: clock.now() },
      payload: { version: 1, data: fields },
    })
    // Somebody else may be at it: one of them makes it.
    if (await types.insert(tenantId, slug, { fields, event })) await log.types(await types.pending({ tenantId, slug }))
  }
}
