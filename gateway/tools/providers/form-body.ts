// application/x-www-form-urlencoded with brackets for what is nested, as Stripe wants it. Pure.

export type FormValue =
  | string
  | number
  | boolean
  | undefined
  | readonly FormValue[]
  | { readonly [name: string]: FormValue }

export function formBody(fields: { readonly [name: string]: FormValue }): string {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) add(body, name, value)
  return body.toString()
}

function add(body: URLSearchParams, name: string, value: FormValue): void {
  if (value === undefined) return
  if (typeof value !== 'object') body.append(name, String(value))
  else for (const [key, each] of Object.entries(value)) add(body, `${name}[${key}]`, each)
}
