// What a command is: its argument bounds and a function from words to a reply. Each data type has a table of them.

/** A Lua or protocol status such as OK: a script sees it as {ok = ...}, a client as plain text. */
export interface Status {
  readonly ok: string
}

export type Reply = string | number | null | Status | readonly Reply[]

export interface Command {
  readonly least: number
  readonly most: number
  run(args: readonly string[]): Reply
}

export type Commands = Readonly<Record<string, Command>>

/** An error reply: its message goes to the client as it stands, code word first. */
export class RedisError extends Error {}

export const ok: Status = { ok: 'OK' }

export function exactly(count: number, run: (args: readonly string[]) => Reply): Command {
  return { least: count, most: count, run }
}

export function atLeast(count: number, run: (args: readonly string[]) => Reply): Command {
  return { least: count, most: Number.POSITIVE_INFINITY, run }
}

export function wrongType(): RedisError {
  return new RedisError('WRONGTYPE Operation against a key holding the wrong kind of value')
}

export function syntaxError(): RedisError {
  return new RedisError('ERR syntax error')
}

export function wrongArity(name: string): RedisError {
  return new RedisError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`)
}
