// The Lua that scripts run in: Fengari (Lua 5.3 in JavaScript) bent to Redis's Lua 5.1, loaded by the first script.

import { createRequire } from 'node:module'
import { numberText } from './arguments.ts'
import { RedisError, type Reply } from './command.ts'

type State = object
type Bytes = Uint8Array

/** The part of Fengari's C-like interface used here; the package has no types. */
interface Fengari {
  to_luastring(text: string): Bytes
  to_jsstring(bytes: Bytes, from: number, to: number, replaceInvalid: boolean): string
  lua: {
    LUA_TNUMBER: number
    LUA_TSTRING: number
    LUA_TBOOLEAN: number
    LUA_TTABLE: number
    LUA_TNIL: number
    LUA_REGISTRYINDEX: number
    lua_gettop(state: State): number
    lua_type(state: State, index: number): number
    lua_tonumber(state: State, index: number): number
    lua_tostring(state: State, index: number): Bytes
    lua_toboolean(state: State, index: number): boolean
    lua_pushnumber(state: State, value: number): void
    lua_pushboolean(state: State, value: boolean): void
    lua_pushstring(state: State, value: Bytes): void
    lua_pushcfunction(state: State, run: (state: State) => number): void
    lua_createtable(state: State, items: number, fields: number): void
    lua_setfield(state: State, index: number, name: Bytes): void
    lua_getfield(state: State, index: number, name: Bytes): void
    lua_rawseti(state: State, index: number, at: number): void
    lua_rawgeti(state: State, index: number, at: number): void
    lua_setglobal(state: State, name: Bytes): void
    lua_pop(state: State, count: number): void
    lua_pcall(state: State, args: number, results: number, handler: number): number
    lua_error(state: State): number
  }
  lauxlib: {
    luaL_newstate(): State
    luaL_requiref(state: State, name: Bytes, open: unknown, global: boolean): void
    luaL_loadbuffer(state: State, source: Bytes, size: number, name: Bytes): number
    luaL_ref(state: State, table: number): number
    luaL_unref(state: State, table: number, ref: number): void
  }
  lualib: { luaopen_base: unknown; luaopen_table: unknown; luaopen_string: unknown; luaopen_math: unknown }
}

interface Numeral {
  ttisinteger(): boolean
  setfltvalue(value: number): void
  value: number
}

/** Redis refuses global variables; floor and ceil stay doubles so that no product wraps at 32 bits. */
const prelude = `
unpack, loadstring, KEYS, ARGV = table.unpack, load, {}, {}
dofile, loadfile, print = nil, nil, nil
redis.status_reply = function(text) return {ok = text} end
redis.error_reply = function(text) return {err = (string.gsub(text, '^%-', ''))} end
redis.log = function() end
redis.LOG_DEBUG, redis.LOG_VERBOSE, redis.LOG_NOTICE, redis.LOG_WARNING = 0, 1, 2, 3
local floor, ceil = math.floor, math.ceil
math.floor = function(x) return floor(x) + 0.0 end
math.ceil = function(x) return ceil(x) + 0.0 end
setmetatable(_G, {
  __newindex = function(_, name) error("Attempt to modify a readonly table (global '" .. tostring(name) .. "')", 2) end,
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})
`

/** Redis's only Lua number is the double: Fengari's 32-bit integers are switched off where numbers are read and shown. */
function load(): Fengari {
  const require = createRequire(import.meta.url)
  require('fengari/src/fengaricore.js')
  require('fengari/src/luaconf.js').LUA_COMPAT_FLOATSTRING = true
  const fengari: Fengari = require('fengari')
  const objects: { luaO_str2num(source: Bytes, into: Numeral): number } = require('fengari/src/lobject.js')
  const read = objects.luaO_str2num
  objects.luaO_str2num = (source, into) => {
    const length = read(source, into)
    if (length !== 0 && into.ttisinteger()) into.setfltvalue(into.value)
    return length
  }
  return fengari
}

let loaded: Fengari | undefined

export class Lua {
  readonly #fengari: Fengari
  readonly #state: State
  readonly #call: (words: readonly string[]) => Reply

  /** `call` runs a command on behalf of a script; what it throws is the script's error. */
  constructor(call: (words: readonly string[]) => Reply) {
    loaded ??= load()
    this.#fengari = loaded
    this.#call = call
    const { lua, lauxlib, lualib } = this.#fengari
    this.#state = lauxlib.luaL_newstate()
    const libraries = {
      _G: lualib.luaopen_base,
      table: lualib.luaopen_table,
      string: lualib.luaopen_string,
      math: lualib.luaopen_math,
    }
    for (const [name, open] of Object.entries(libraries)) {
      lauxlib.luaL_requiref(this.#state, this.#bytes(name), open, true)
      lua.lua_pop(this.#state, 1)
    }
    lua.lua_createtable(this.#state, 0, 2)
    lua.lua_pushcfunction(this.#state, (state) => this.#command(state, false))
    lua.lua_setfield(this.#state, -2, this.#bytes('call'))
    lua.lua_pushcfunction(this.#state, (state) => this.#command(state, true))
    lua.lua_setfield(this.#state, -2, this.#bytes('pcall'))
    lua.lua_setglobal(this.#state, this.#bytes('redis'))
    this.run(this.compile(prelude), [], [])
  }

  /** A handle for `run`; throws the compiler's message. */
  compile(source: string): number {
    const { lua, lauxlib } = this.#fengari
    const bytes = this.#bytes(source)
    if (lauxlib.luaL_loadbuffer(this.#state, bytes, bytes.length, this.#bytes('@user_script')) !== 0) {
      const message = this.#popText()
      throw new RedisError(`ERR Error compiling script (new function): ${message}`)
    }
    return lauxlib.luaL_ref(this.#state, lua.LUA_REGISTRYINDEX)
  }

  release(script: number): void {
    this.#fengari.lauxlib.luaL_unref(this.#state, this.#fengari.lua.LUA_REGISTRYINDEX, script)
  }

  run(script: number, keys: readonly string[], args: readonly string[]): Reply {
    const { lua } = this.#fengari
    this.#push(this.#state, keys)
    lua.lua_setglobal(this.#state, this.#bytes('KEYS'))
    this.#push(this.#state, args)
    lua.lua_setglobal(this.#state, this.#bytes('ARGV'))
    lua.lua_rawgeti(this.#state, lua.LUA_REGISTRYINDEX, script)
    const failed = lua.lua_pcall(this.#state, 0, 1, 0) !== 0
    if (failed && lua.lua_type(this.#state, -1) !== lua.LUA_TTABLE) throw new RedisError(`ERR ${this.#popText()}`)
    try {
      // A thrown {err = ...} table reads as the error reply it is.
      return this.#read(this.#state)
    } finally {
      lua.lua_pop(this.#state, 1)
    }
  }

  #command(state: State, isProtected: boolean): number {
    const { lua } = this.#fengari
    try {
      const words: string[] = []
      for (let at = 1; at <= lua.lua_gettop(state); at++) words.push(this.#word(state, at))
      if (words.length === 0) throw new RedisError('ERR Please specify at least one argument for this redis.call()')
      this.#push(state, this.#call(words))
      return 1
    } catch (error) {
      if (!(error instanceof RedisError)) throw error
      lua.lua_createtable(state, 0, 1)
      lua.lua_pushstring(state, this.#bytes(error.message))
      lua.lua_setfield(state, -2, this.#bytes('err'))
      return isProtected ? 1 : lua.lua_error(state)
    }
  }

  #word(state: State, at: number): string {
    const { lua } = this.#fengari
    const type = lua.lua_type(state, at)
    if (type === lua.LUA_TNUMBER) return numberText(lua.lua_tonumber(state, at))
    if (type === lua.LUA_TSTRING) return this.#text(lua.lua_tostring(state, at))
    throw new RedisError('ERR Lua redis lib command arguments must be strings or integers')
  }

  #push(state: State, reply: Reply): void {
    const { lua } = this.#fengari
    if (reply === null) lua.lua_pushboolean(state, false)
    else if (typeof reply === 'number') lua.lua_pushnumber(state, reply)
    else if (typeof reply === 'string') lua.lua_pushstring(state, this.#bytes(reply))
    else if ('ok' in reply) {
      lua.lua_createtable(state, 0, 1)
      lua.lua_pushstring(state, this.#bytes(reply.ok))
      lua.lua_setfield(state, -2, this.#bytes('ok'))
    } else {
      lua.lua_createtable(state, reply.length, 0)
      for (const [at, item] of reply.entries()) {
        this.#push(state, item)
        lua.lua_rawseti(state, -2, at + 1)
      }
    }
  }

  /** The value on top of the stack by Redis's rules: numbers lose their fraction, a table ends at its first nil. */
  #read(state: State): Reply {
    const { lua } = this.#fengari
    const type = lua.lua_type(state, -1)
    if (type === lua.LUA_TNUMBER) return Math.trunc(lua.lua_tonumber(state, -1))
    if (type === lua.LUA_TSTRING) return this.#text(lua.lua_tostring(state, -1))
    if (type === lua.LUA_TBOOLEAN) return lua.lua_toboolean(state, -1) ? 1 : null
    if (type !== lua.LUA_TTABLE) return null
    const err = this.#field(state, 'err')
    if (err !== undefined) throw new RedisError(err)
    const status = this.#field(state, 'ok')
    if (status !== undefined) return { ok: status }
    const items: Reply[] = []
    for (let at = 1; ; at++) {
      lua.lua_rawgeti(state, -1, at)
      const ended = lua.lua_type(state, -1) === lua.LUA_TNIL
      if (!ended) items.push(this.#read(state))
      lua.lua_pop(state, 1)
      if (ended) return items
    }
  }

  #field(state: State, name: string): string | undefined {
    const { lua } = this.#fengari
    lua.lua_getfield(state, -1, this.#bytes(name))
    const text = lua.lua_type(state, -1) === lua.LUA_TSTRING ? this.#text(lua.lua_tostring(state, -1)) : undefined
    lua.lua_pop(state, 1)
    return text
  }

  #popText(): string {
    const { lua } = this.#fengari
    const text =
      lua.lua_type(this.#state, -1) === lua.LUA_TSTRING
        ? this.#text(lua.lua_tostring(this.#state, -1))
        : 'unknown error'
    lua.lua_pop(this.#state, 1)
    return text
  }

  #bytes(text: string): Bytes {
    return this.#fengari.to_luastring(text)
  }

  #text(bytes: Bytes): string {
    return this.#fengari.to_jsstring(bytes, 0, bytes.length, true)
  }
}
