// EVAL, EVALSHA and SCRIPT: compiled scripts by the SHA-1 of the text the client sent.

import { createHash } from 'node:crypto'
import { integer } from './arguments.ts'
import { atLeast, type Commands, ok, RedisError, type Reply, syntaxError } from './command.ts'
import { Lua } from './lua.ts'

/** Far above what a program sends when its scripts are constants; beyond it the oldest goes and clients see NOSCRIPT. */
const keptScripts = 500

/** `call` runs one command for a script. */
export function scriptCommands(call: (words: readonly string[]) => Reply): Commands {
  const scripts = new Map<string, number>()
  let lua: Lua | undefined
  let running = false

  const fromScript = (words: readonly string[]): Reply => {
    const name = words[0]?.toLowerCase() ?? ''
    if (name in commands) throw new RedisError('ERR This Redis command is not allowed from script')
    return call(words)
  }

  const load = (source: string): string => {
    const sha = createHash('sha1').update(source).digest('hex')
    if (scripts.has(sha)) return sha
    lua ??= new Lua(fromScript)
    // The flags line names what only Upstash knows and is no Lua; an empty line keeps error line numbers true.
    scripts.set(sha, lua.compile(source.replace(/^#!lua[^\n]*/, '')))
    for (const [oldest, script] of scripts) {
      if (scripts.size <= keptScripts) break
      lua.release(script)
      scripts.delete(oldest)
    }
    return sha
  }

  const run = (sha: string, [count = '', ...words]: readonly string[]): Reply => {
    const script = scripts.get(sha.toLowerCase())
    if (script === undefined || lua === undefined) {
      throw new RedisError('NOSCRIPT No matching script. Please use EVAL.')
    }
    const keyCount = integer(count)
    if (keyCount < 0) throw new RedisError("ERR Number of keys can't be negative")
    if (keyCount > words.length) throw new RedisError("ERR Number of keys can't be greater than number of args")
    if (running) throw new RedisError('ERR a script is running')
    running = true
    try {
      return lua.run(script, words.slice(0, keyCount), words.slice(keyCount))
    } finally {
      running = false
    }
  }

  const commands: Commands = {
    eval: atLeast(2, ([source = '', ...rest]) => run(load(source), rest)),
    evalsha: atLeast(2, ([sha = '', ...rest]) => run(sha, rest)),
    script: atLeast(1, ([verb = '', ...words]) => {
      const name = verb.toLowerCase()
      if (name === 'load' && words.length === 1) return load(words[0] ?? '')
      if (name === 'exists') return words.map((sha) => (scripts.has(sha.toLowerCase()) ? 1 : 0))
      if (name !== 'flush') throw syntaxError()
      for (const script of scripts.values()) lua?.release(script)
      scripts.clear()
      return ok
    }),
  }
  return commands
}
