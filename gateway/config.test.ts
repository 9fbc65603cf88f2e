import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { ConfigError, loadEnvFile, readConfig, settings } from './config.ts'

test('no environment at all is a complete configuration', () => {
  const config = readConfig({})
  expect(config).toMatchObject({ PORT: 8787, PARLEY_DEMO: true })
  expect(config.MONGODB_URI).toBeUndefined()
})

test('every problem is listed at once', () => {
  const env = {
    PORT: 'many',
    MONGODB_URI: 'postgres://x',
    UPSTASH_REDIS_REST_URL: 'https://x.upstash.io',
    PARLEY_ENGINE: 'openai-realtime',
  }
  try {
    readConfig(env)
    expect.unreachable()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.problems).toHaveLength(4)
    for (const name of ['PORT', 'MONGODB_URI', 'UPSTASH_REDIS_REST_TOKEN', 'OPENAI_API_KEY'])
      expect(error.message).toContain(name)
  }
})

test('an empty variable is an unset one', () => {
  const config = readConfig({ PORT: '', OPENAI_API_KEY: '' })
  expect(config.PORT).toBe(8787)
  expect(config.OPENAI_API_KEY).toBeUndefined()
})

test('every setting says what it is', () => {
  for (const [name, schema] of Object.entries(settings)) expect(schema.description, name).toMatch(/.{10,}\.$/)
})

test('`.env` fills in what the environment does not set', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-env-'))
  const before = process.cwd()
  try {
    writeFileSync(join(folder, '.env'), 'PARLEY_TEST_A=file\nPARLEY_TEST_B=file\n')
    vi.stubEnv('PARLEY_TEST_A', 'shell')
    process.chdir(folder)
    loadEnvFile()
    // biome-ignore lint/style/noProcessEnv: what this test is about
    const { PARLEY_TEST_A, PARLEY_TEST_B } = process.env
    expect([PARLEY_TEST_A, PARLEY_TEST_B]).toEqual(['shell', 'file'])
  } finally {
    process.chdir(before)
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})

test('GPT-Live can be forced with a key, or with an address of its own', () => {
  const forced = { PARLEY_ENGINE: 'openai-live' }
  expect(() => readConfig(forced)).toThrow(/needs OPENAI_API_KEY/)
  expect(() => readConfig({ ...forced, OPENAI_BASE_URL: 'http://localhost:8080/v1' })).toThrow(/OPENAI_LIVE_BASE_URL/)
  expect(readConfig({ ...forced, OPENAI_API_KEY: 'sk' }).OPENAI_LIVE_MODEL).toBe('gpt-live-1')
  expect(readConfig({ ...forced, OPENAI_LIVE_BASE_URL: 'http://localhost:8080/v1' }).PARLEY_ENGINE).toBe('openai-live')
  expect(() => readConfig({ OPENAI_LIVE_BASE_URL: 'localhost' })).toThrow(ConfigError)
})

test('a local server of the same protocol can be forced without a key', () => {
  expect(
    readConfig({ PARLEY_ENGINE: 'openai-realtime', OPENAI_BASE_URL: 'http://localhost:8080/v1' }).PARLEY_ENGINE,
  ).toBe('openai-realtime')
  expect(() => readConfig({ PARLEY_ENGINE: 'openai-realtime', OPENAI_BASE_URL: 'https://api.openai.com/v1' })).toThrow(
    ConfigError,
  )
})

test('Gemini can be forced with its key or behind a relay, and its model and address must be such', () => {
  const forced = { PARLEY_ENGINE: 'gemini-live' }
  expect(readConfig({ ...forced, GEMINI_API_KEY: 'k' }).GEMINI_LIVE_MODEL).toBe('gemini-3.8-live')
  expect(readConfig({ ...forced, GEMINI_BASE_URL: 'https://relay.example.com/gemini' }).PARLEY_ENGINE).toBe(
    'gemini-live',
  )
  expect(() => readConfig(forced)).toThrow('PARLEY_ENGINE=gemini-live: needs GEMINI_API_KEY')
  expect(() => readConfig({ GEMINI_BASE_URL: 'generativelanguage.googleapis.com' })).toThrow('GEMINI_BASE_URL')
  expect(() => readConfig({ GEMINI_LIVE_MODEL: 'gemini 3.8' })).toThrow('GEMINI_LIVE_MODEL: is a model code')
})

test('calls over WebRTC: ports are a range, relays are addresses, and all of it is told to the legs as values', () => {
  expect(readConfig({}).webrtc).toEqual({
    on: true,
    maxPeers: 100,
    publicIp: undefined,
    ports: undefined,
    urls: [],
    turnSecret: undefined,
    turnSeconds: 3_600,
  })
  const { webrtc } = readConfig({
    WEBRTC_PORTS: '40000-40100',
    WEBRTC_PUBLIC_IP: '203.0.113.5',
    WEBRTC_ICE_URLS: 'stun:a.example:3478, turns:b.example:5349?transport=tcp',
  })
  expect(webrtc).toMatchObject({ ports: { min: 40_000, max: 40_100 }, publicIp: '203.0.113.5' })
  expect(webrtc.urls).toEqual(['stun:a.example:3478', 'turns:b.example:5349?transport=tcp'])
  for (const [name, value] of [
    ['WEBRTC_PORTS', '40100-40000'],
    ['WEBRTC_PORTS', '80-90'],
    ['WEBRTC_PORTS', 'many'],
    ['WEBRTC_PUBLIC_IP', 'talk.example'],
    ['WEBRTC_ICE_URLS', 'https://turn.example'],
    ['WEBRTC_TURN_SECRET', 'short'],
  ] as const)
    expect(() => readConfig({ [name]: value }), `${name}=${value}`).toThrow(name)
})

test('a LiveKit server is configured whole or not at all', () => {
  expect(() => readConfig({ LIVEKIT_URL: 'wss://rooms.example', LIVEKIT_API_KEY: 'key' })).toThrow(
    /LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET: set all or none/,
  )
  expect(() => readConfig({ LIVEKIT_URL: 'rooms', LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 's' })).toThrow(
    /LIVEKIT_URL/,
  )
  const whole = { LIVEKIT_URL: 'wss://rooms.example', LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret' }
  expect(readConfig(whole)).toMatchObject(whole)
})

test.each([
  ['TOOL_EXECUTOR_URL and TOOL_EXECUTOR_SECRET', { TOOL_EXECUTOR_URL: 'https://run.example' }],
  ['TOOL_EXECUTOR_URL and TOOL_EXECUTOR_SECRET', { TOOL_EXECUTOR_SECRET: 'a-secret-of-some-length' }],
  ['CLERK_WEBHOOK_SECRET', { CLERK_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }],
  ['OIDC_ISSUER and OIDC_AUDIENCE', { OIDC_ISSUER: 'https://id.example' }],
  ['CLERK_JWT_ISSUER_DOMAIN', { CLERK_JWT_ISSUER_DOMAIN: 'not a domain' }],
  ['CLERK_JWT_ISSUER_DOMAIN', { CLERK_JWT_ISSUER_DOMAIN: 'http://clerk.example.com' }],
])('[S001-37] what is half configured is one sentence that names it: %s', (name, env) => {
  let message = ''
  try {
    readConfig(env)
  } catch (error) {
    message = error instanceof ConfigError ? error.problems.join('; ') : ''
  }
  expect(message).toContain(name)
  expect(message.split('; ')).toHaveLength(1)
})

test('a domain and an address of Clerk are the same issuer', () => {
  for (const given of ['clerk.example.com', 'https://clerk.example.com', 'https://clerk.example.com/'])
    expect(readConfig({ CLERK_JWT_ISSUER_DOMAIN: given }).outside.clerkIssuer).toBe('https://clerk.example.com')
})
