// What the address of a list of requests says.

export type ApprovalsSearch = {
  readonly approval?: string | undefined
  readonly show?: 'decided' | undefined
  readonly state?: string | undefined
  readonly agent?: string | undefined
}

export function approvalsSearch(search: Record<string, unknown>): ApprovalsSearch {
  const text = (name: string) => (typeof search[name] === 'string' && search[name] !== '' ? search[name] : undefined)
  const found = {
    ...{ approval: text('approval'), state: text('state'), agent: text('agent') },
    show: search.show === 'decided' ? ('decided' as const) : undefined,
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}
