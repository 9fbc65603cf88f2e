// The oracle's own books of a tenant, kept from entries alone, and an account held against them.

import { type Doc, isPlain, num } from '../../gateway/embedded/value.ts'

export interface Books {
  posted: number
  debt: number
  held: number
  seq: number
  readonly grants: Map<string, number>
}

export type Breach = (rule: string, message: string) => void

interface BalanceCheck {
  readonly isHeld: (holdId: string) => boolean
  readonly breach: Breach
}

/** Every sum that an account keeps, beside the entries. `isHeld` knows the holds that have an entry. */
export function checkBalance(after: Doc, books: Books, { isHeld, breach }: BalanceCheck): void {
  const posted = num(after.posted)
  const debt = num(after.debt ?? 0)
  if (posted !== books.posted) breach('I1', `entries give ${books.posted}, posted is ${posted}`)
  if (debt !== books.debt) breach('I1', `entries owe ${books.debt}, owed is ${debt}`)
  const held = new Map<string, number>()
  let heldMicro = 0
  for (const [holdId, hold] of Object.entries(part(after, 'holds'))) {
    if (!isPlain(hold)) continue
    heldMicro += num(hold.amountMicro)
    let allocated = 0
    for (const [name, micro] of Object.entries(part(hold, 'allocations'))) {
      allocated += num(micro)
      held.set(name, (held.get(name) ?? 0) + num(micro))
    }
    if (allocated !== num(hold.amountMicro))
      breach('I2', `a hold of ${num(hold.amountMicro)} has ${allocated} of grants`)
    if (!isHeld(holdId)) breach('I4', 'a hold without an entry')
  }
  if (heldMicro !== books.held) breach('I1', `entries hold ${books.held}, held is ${heldMicro}`)
  let left = 0
  let free = 0
  for (const [name, grant] of Object.entries(part(after, 'grants'))) {
    if (!isPlain(grant)) continue
    const micro = num(grant.leftMicro)
    left += micro
    free += micro - (held.get(name) ?? 0)
    if (micro !== (books.grants.get(String(grant.id)) ?? 0)) breach('I1', `of ${String(grant.id)} ${micro} is left`)
    if (micro < (held.get(name) ?? 0)) breach('I2', `holds have more of ${String(grant.id)} than is left of it`)
    held.delete(name)
  }
  if (left !== posted) breach('I1', `grants have ${left}, posted is ${posted}`)
  if (free < 0 || posted - heldMicro < 0) breach('I2', `available is ${Math.min(free, posted - heldMicro)}`)
  if (debt > 0 && free > 0) breach('L22', `${debt} is owed while ${free} is free`)
  if ([...held.values()].some((micro) => micro > 0)) breach('I2', 'a hold has credit of a grant that is gone')
}

const nothing: Doc = {}

export function part(doc: unknown, name: string): Doc {
  const value = isPlain(doc) ? doc[name] : undefined
  return isPlain(value) ? value : nothing
}
