// The token comes in the fragment, which browsers never send to a server or a log.

export function tokenOf(hash: string): string | undefined {
  return fromHash(hash, 'token')
}

/** Of a link that somebody of the team passed on. */
export function invitationOf(hash: string): string | undefined {
  return fromHash(hash, 'invitation')
}

function fromHash(hash: string, name: string): string | undefined {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get(name)
  return token === null || token === '' ? undefined : token
}

/** Where to go after signing in: inside the console, whatever the address asked for. */
export function safeBack(back: string | undefined): string {
  if (back === undefined || !/^\/console(\/|\?|$)/.test(back)) return '/console/'
  return back.startsWith('/console/sign-in') ? '/console/' : back
}
