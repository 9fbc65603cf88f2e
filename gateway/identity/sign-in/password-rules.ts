// Which passwords are taken. Length is what counts; the rest keeps out what is tried first.

export const passwordLength = { min: 12, max: 128 } as const
const leastDifferent = 6

/** A sentence for the person; undefined when the password may be used. */
export function passwordFault(password: string, email: string): string | undefined {
  if (password.length < passwordLength.min) return `A password has at least ${passwordLength.min} characters.`
  if (password.length > passwordLength.max) return `A password has at most ${passwordLength.max} characters.`
  if (new Set(password).size < leastDifferent) return 'A password has at least 6 different characters.'
  const [local = ''] = email.toLowerCase().split('@')
  if (local.length > 3 && password.toLowerCase().includes(local)) return 'A password does not contain your address.'
  return undefined
}
