// Collections `payments` and `payment_hooks`. The only file that knows their documents.

import { type Collection, type Db, MongoServerError } from 'mongodb'
import { idOf, type TenantId } from '../../platform/ids.ts'
import { type CollectionSpec, durable } from '../../platform/mongo.ts'
import type { OrderLine, PaymentName } from '../providers/payments.ts'
import { type Judgement, mayBecome, type PaymentState } from './judge.ts'

export interface Payment {
  readonly id: string
  readonly provider: PaymentName
  readonly live: boolean
  readonly description: string
  readonly lines: readonly OrderLine[]
  readonly amountMinor: number
  readonly currency: string
  readonly email?: string | undefined
  readonly contactId?: string | undefined
  readonly channel?: string | undefined
  readonly conversationId?: string | undefined
  readonly invoiceId?: string | undefined
  readonly successUrl: string
  readonly cancelUrl: string
  readonly status: PaymentState
  readonly providerId?: string | undefined
  readonly url?: string | undefined
  readonly reason?: string | undefined
  readonly paidAt?: Date | undefined
}

export type NewPayment = Omit<Payment, 'status' | 'providerId' | 'url' | 'reason' | 'paidAt'>

interface PaymentDoc extends Omit<Payment, 'id'> {
  readonly _id: string
  readonly tenantId: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

interface HookDoc {
  readonly _id: string
  readonly tenantId: string
  readonly at: Date
}

const duplicateKey = 11000
/** Providers repeat a webhook for three days; one that was copied is known for longer. */
const hookSeconds = 40 * 86_400

const toPayment = ({ _id, tenantId: _, createdAt: _c, updatedAt: _u, ...rest }: PaymentDoc): Payment => ({
  id: _id,
  ...rest,
})

export const paymentStore = {
  specs: [
    {
      name: 'payments',
      indexes: [
        {
          key: { tenantId: 1, provider: 1, providerId: 1 },
          name: 'of_provider',
          unique: true,
          partialFilterExpression: { providerId: { $exists: true } },
        },
      ],
    },
    {
      name: 'payment_hooks',
      indexes: [{ key: { at: 1 }, name: 'expiry', expireAfterSeconds: hookSeconds }],
    },
  ] satisfies readonly CollectionSpec[],
  open(db: Db) {
    const payments: Collection<PaymentDoc> = db.collection('payments', durable)
    const hooks: Collection<HookDoc> = db.collection('payment_hooks', durable)
    const get = async (tenantId: TenantId, id: string): Promise<Payment | undefined> => {
      const doc = await payments.findOne({ _id: id, tenantId })
      return doc === null ? undefined : toPayment(doc)
    }
    return {
      get,
      /** What was begun first under this id. */
      async begin(tenantId: TenantId, payment: NewPayment, now: Date): Promise<Payment> {
        const { id, ...rest } = payment
        try {
          await payments.insertOne({ _id: id, tenantId, ...rest, status: 'opening', createdAt: now, updatedAt: now })
        } catch (error) {
          if (!(error instanceof MongoServerError) || error.code !== duplicateKey) throw error
        }
        return (await get(tenantId, id)) ?? { ...payment, status: 'opening' }
      },
      async opened(tenantId: TenantId, id: string, on: { providerId: string; url: string; now: Date }): Promise<void> {
        const { now, ...set } = on
        await payments.updateOne(
          { _id: id, tenantId, status: 'opening' },
          { $set: { ...set, status: 'open', updatedAt: now } },
        )
      },
      async ofProvider(tenantId: TenantId, provider: PaymentName, providerId: string): Promise<Payment | undefined> {
        const doc = await payments.findOne({ tenantId, provider, providerId })
        return doc === null ? undefined : toPayment(doc)
      },
      /** Forwards only. */
      async settle(tenantId: TenantId, id: string, { status, reason }: Judgement, now: Date): Promise<void> {
        await payments.updateOne(
          { _id: id, tenantId, status: { $in: [...mayBecome[status]] } },
          {
            $set: {
              ...{ status, updatedAt: now },
              ...(status === 'paid' ? { paidAt: now } : {}),
              ...(reason === undefined ? {} : { reason }),
            },
          },
        )
      },
      async isKnown(tenantId: TenantId, provider: PaymentName, eventId: string): Promise<boolean> {
        return (await hooks.findOne({ _id: hookId(tenantId, provider, eventId), tenantId })) !== null
      },
      async know(tenantId: TenantId, provider: PaymentName, { eventId, now }: { eventId: string; now: Date }) {
        const _id = hookId(tenantId, provider, eventId)
        await hooks.updateOne({ _id, tenantId }, { $setOnInsert: { at: now } }, { upsert: true })
      },
    }
  },
}

const hookId = (tenantId: TenantId, provider: PaymentName, eventId: string) => idOf('evt', tenantId, provider, eventId)
