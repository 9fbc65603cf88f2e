// What an object is: anything a tenant has that is made, named, put to work and put away. Pure.

import type { z } from 'zod'
import { Problem } from '../platform/problem.ts'

export interface ObjectType {
  readonly subtypes: readonly string[]
  /** Status → where it may go from there. */
  readonly moves: Readonly<Record<string, readonly string[]>>
  /** The status a new one has. */
  readonly first: string
  readonly data: z.ZodType<Readonly<Record<string, unknown>>>
  /** Objects of this type are read here and written there, by rules of their own. */
  readonly writtenAt: string | undefined
}

export interface StoredObject {
  readonly id: string
  readonly type: string
  readonly subtype: string
  readonly name: string
  /** Unique among the tenant's objects of its type. */
  readonly slug: string
  readonly status: string
  readonly data: Readonly<Record<string, unknown>>
  /** Counts its changes: what is based on an older one is refused. */
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Throws `conflict`, naming where it may go. A status it has already is no move. */
export function checkMove(moves: ObjectType['moves'], from: string, to: string): void {
  if (from === to) return
  const legal = moves[from] ?? []
  if (legal.includes(to)) return
  const open = legal.length === 0 ? 'it is final' : `it may become ${legal.join(' or ')}`
  throw new Problem('conflict', `What is ${from} cannot become ${to}: ${open}.`)
}
