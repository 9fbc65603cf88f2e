// What the form of an API key says, as the API takes it. Pure.

import type { ApiKeyView } from '../../../gateway/protocol/rest.ts'
import type { KeyWish } from '../../api/client.ts'

/** `usual`: what a service does; `role`: what a role gives; `scopes`: exactly what is ticked. */
export type RightsKind = 'usual' | 'role' | 'scopes'

export interface KeyForm {
  readonly label: string
  readonly rights: RightsKind
  readonly role: string
  readonly scopes: readonly string[]
  readonly agentIds: readonly string[]
  /** A day, or empty: it does not expire. */
  readonly expires: string
}

export const newKeyForm: KeyForm = { label: '', rights: 'usual', role: '', scopes: [], agentIds: [], expires: '' }

export function wishOf(form: KeyForm): KeyWish {
  return {
    label: form.label.trim(),
    ...(form.rights === 'role' ? { role: form.role } : {}),
    ...(form.rights === 'scopes' ? { scopes: form.scopes } : {}),
    agentIds: form.agentIds,
    expiresAt: form.expires === '' ? null : endOf(form.expires),
  }
}

/** A key works on its last day. */
function endOf(day: string): string {
  return new Date(`${day}T23:59:59.999Z`).toISOString()
}

export function formOf(key: ApiKeyView): KeyForm {
  return {
    label: key.label,
    rights: key.role === null ? 'scopes' : 'role',
    role: key.role ?? '',
    scopes: key.scopes,
    agentIds: key.agentIds,
    expires: key.expiresAt?.slice(0, 10) ?? '',
  }
}
