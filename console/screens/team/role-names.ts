// The roles that every tenant has, in words; a tenant's own roles are shown by the names they were given.

const builtin: Readonly<Record<string, { readonly name: string; readonly note: string }>> = {
  owner: { name: 'Owner', note: 'Everything, credit and people included.' },
  admin: { name: 'Admin', note: 'Everything but credit.' },
  operator: { name: 'Operator', note: 'Works with agents and conversations, changes no settings.' },
  client: { name: 'Client', note: 'Looks at everything, changes nothing.' },
  service: { name: 'Service', note: 'What an API key has for which nothing was chosen.' },
}

/** What can be given to a person; `service` is what keys have. */
export const personRoles = Object.keys(builtin).filter((role) => role !== 'service')

export function roleName(role: string): string {
  return builtin[role]?.name ?? role
}

export function roleNote(role: string): string | undefined {
  return builtin[role]?.note
}
