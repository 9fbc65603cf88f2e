// Who came in, who tried to, and what they changed of their ways in: written to the log of each tenant they work in. Never
// with what was typed: a person is named by their id, and of an address nobody has nothing is written.

import type { TenantId } from '../../platform/ids.ts'
import type { Problem } from '../../platform/problem.ts'
import type { Audit } from '../audit/audit.ts'

export interface AuthAct {
  readonly ability: `auth.${string}`
  /** By which route; null where it was none of signing in: the first request with a provider's token. */
  readonly door: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string } | null
  readonly ip: string
  /** Missing: done. */
  readonly problem?: Problem | undefined
}

export interface Noted {
  readonly operatorId: string
  readonly name: string
  readonly tenants: readonly { readonly id: TenantId }[]
}

export interface SignInNotes {
  /** Durable when it resolves. Of an id that nobody has nothing is written. */
  note(who: string | Noted, act: AuthAct): Promise<void>
  /** After the answer: it must not take longer for an address that somebody has. */
  noteLater(who: string, act: AuthAct): void
}

export interface SignInNotesDeps {
  readonly audit: Audit
  readonly find: (operatorId: string) => Promise<Noted | undefined>
  /** One that came later and was not written. */
  readonly onLost: (error: unknown) => void
}

/** Who runs the gateway has all its tenants: the log of so many is not written at a sign-in. */
const maxNoted = 50

export function createSignInNotes({ audit, find, onLost }: SignInNotesDeps): SignInNotes {
  async function note(who: string | Noted, { ability, door, ip, problem }: AuthAct): Promise<void> {
    const person = typeof who === 'string' ? await find(who) : who
    if (person === undefined) return
    const { operatorId, name, tenants } = person
    const actor = { kind: 'operator', id: operatorId, name } as const
    const by = { method: door?.method ?? null, route: door?.path ?? null, ip }
    const outcome =
      problem === undefined
        ? ({ outcome: 'done', status: null, code: null } as const)
        : ({ outcome: 'refused', status: problem.kind.http, code: problem.code } as const)
    const entry = { actor, ability, target: operatorId, ...by, ...outcome }
    await Promise.all(tenants.slice(0, maxNoted).map(({ id }) => audit.of(id).record(entry)))
  }
  return {
    note,
    noteLater(who, act) {
      setImmediate(() => void note(who, act).catch(onLost))
    },
  }
}
