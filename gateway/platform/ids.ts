// Ids: a short kind prefix and 96 random bits in lower-case base 36, so that a log line tells what an id is of.

import { randomBytes } from 'node:crypto'

export type TenantId = string & { readonly brand: 'TenantId' }

/** Only identity (from a verified credential), the seed and stored documents may make one. */
export function asTenantId(id: string): TenantId {
  return id as TenantId
}

export type IdPrefix =
  | 'ten'
  | 'agt'
  | 'key'
  | 'sess'
  | 'conv'
  | 'cont'
  | 'turn'
  | 'hold'
  | 'item'
  | 'resp'
  | 'event'
  | 'call'
  | 'vis'
  | 'op'
  | 'err'
  | 'ent'
  | 'job'
  | 'tok'
  | 'kid'
  | 'node'
  | 'req'

export function newId(prefix: IdPrefix): string {
  return `${prefix}_${BigInt(`0x${randomBytes(12).toString('hex')}`)
    .toString(36)
    .padStart(19, '0')}`
}
