// The gateway as the command line sees it.

export interface Client {
  /** Throws CommandError with the gateway's own words. */
  send<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>
}

/** Shown as it is, without a stack. `exitCode` 2: the command was wrong; 1: it was refused or could not be done. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2
  readonly code: string | undefined
  constructor(message: string, exitCode: 1 | 2 = 1, code?: string) {
    super(message)
    this.exitCode = exitCode
    this.code = code
  }
}

/** A gateway behind a slow line may take a while to answer; for ever it may not. */
const timeoutMs = 30_000

export function clientOf({ url, key }: { readonly url: string; readonly key: string }): Client {
  return {
    async send<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: unknown) => {
        throw new CommandError(`${url} cannot be reached: ${reason(error)}`)
      })
      const text = await response.text()
      if (response.ok) return JSON.parse(text)
      throw refusal(text, response.status)
    },
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

interface Refused {
  readonly error?: {
    readonly code?: string
    readonly message?: string
    readonly issues?: readonly { readonly path: string; readonly message: string }[]
  }
}

function refusal(text: string, status: number): CommandError {
  let body: Refused = {}
  try {
    body = JSON.parse(text)
  } catch {
    // A proxy in front may answer for itself.
  }
  const { code, message, issues = [] } = body.error ?? {}
  const lines = issues.filter((each) => each.message !== message).map((each) => `  ${each.path}: ${each.message}`)
  return new CommandError([`${message ?? 'refused'} (${code ?? status})`, ...lines].join('\n'), 1, code)
}
