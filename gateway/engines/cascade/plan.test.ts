import { expect, it } from 'vitest'
import { ConfigError, readConfig } from '../../config.ts'
import { partFor, readPlan } from './plan.ts'

const nothing = {
  llm: undefined,
  stt: undefined,
  tts: undefined,
  servers: undefined,
  openAiBaseUrl: 'https://api.openai.com/v1',
  keys: {},
}

it('reads parts in order, servers with and without a key, models with any sign in them, options by type', () => {
  const { plan, problems } = readPlan({
    ...nothing,
    llm: 'anthropic:claude-haiku-4-5, openrouter:meta/llama:free ,ollama:llama3.2:3b, openai:gpt-5-mini?reasoning_effort=minimal&n=2&x=true',
    stt: 'groq:whisper-large-v3',
    tts: 'local:kokoro?voice=af_heart,builtin',
    servers: 'groq=https://api.groq.com/openai/v1/ gsk_1, local=http://localhost:8000/v1',
    keys: { anthropic: 'k1', openrouter: 'k2', openai: 'k3' },
  })
  expect(problems).toEqual([])
  expect(
    plan.llm.map(({ name, model, server, options }) => [
      name,
      model,
      server.kind,
      server.baseUrl,
      server.apiKey,
      options,
    ]),
  ).toEqual([
    ['anthropic:claude-haiku-4-5', 'claude-haiku-4-5', 'anthropic', 'https://api.anthropic.com/v1', 'k1', {}],
    ['openrouter:meta/llama:free', 'meta/llama:free', 'http', 'https://openrouter.ai/api/v1', 'k2', {}],
    ['ollama:llama3.2:3b', 'llama3.2:3b', 'http', 'http://127.0.0.1:11434/v1', undefined, {}],
    [
      'openai:gpt-5-mini',
      'gpt-5-mini',
      'http',
      'https://api.openai.com/v1',
      'k3',
      { reasoning_effort: 'minimal', n: 2, x: true },
    ],
  ])
  expect(plan.stt[0]?.server).toEqual({
    name: 'groq',
    kind: 'http',
    baseUrl: 'https://api.groq.com/openai/v1',
    apiKey: 'gsk_1',
  })
  expect(plan.tts.map(({ name, options }) => [name, options])).toEqual([
    ['local:kokoro', { voice: 'af_heart' }],
    ['builtin', {}],
  ])
})

it('names what is wrong, and never a key', () => {
  const { problems } = readPlan({
    ...nothing,
    llm: 'anthropic:claude,nobody:x,ollama,builtin',
    stt: 'anthropic:claude,google:x',
    tts: 'openai:tts',
    servers: 'Bad Name=x,ftp=ftp://host/v1 sk-secret,nourl=host sk-secret',
    keys: { google: 'k' },
  })
  expect(problems.map((each) => each.split(':')[0])).toEqual([
    ...Array.from({ length: 3 }, () => 'CASCADE_SERVERS'),
    ...Array.from({ length: 4 }, () => 'CASCADE_LLM'),
    ...Array.from({ length: 2 }, () => 'CASCADE_STT'),
    'CASCADE_TTS',
  ])
  expect(problems.join('\n')).not.toContain('sk-secret')
  expect(problems.join('\n')).toMatch(
    /anthropic needs its key[\s\S]*no server is called nobody[\s\S]*ollama needs a model[\s\S]*builtin cannot be this part/,
  )
})

it('follows OPENAI_BASE_URL, also to a server that takes anyone', () => {
  const { plan, problems } = readPlan({ ...nothing, llm: 'openai:m', openAiBaseUrl: 'ws://localhost:8080/v1' })
  expect(problems).toEqual([])
  expect(plan.llm[0]?.server.baseUrl).toBe('http://localhost:8080/v1')
})

it('finds the part an agent’s model names, without what the agent’s author adds to it', () => {
  const { plan } = readPlan({ ...nothing, llm: 'ollama:a?temperature=1', keys: { deepseek: 'k' } })
  expect(partFor('ollama:a', plan)).toBe(plan.llm[0])
  expect(partFor('deepseek:chat?stream=false', plan)).toEqual({
    name: 'deepseek:chat',
    model: 'chat',
    options: {},
    server: plan.servers.get('deepseek'),
  })
  expect(partFor('gpt-realtime', plan)).toMatchObject({ name: 'ollama:gpt-realtime' })
  expect(partFor('x', { ...plan, llm: [] })).toBeUndefined()
})

it('is part of the configuration, with its problems among the others', () => {
  expect(readConfig({}).cascade.llm).toEqual([])
  expect(readConfig({ CASCADE_LLM: 'google:gemini-flash', GEMINI_API_KEY: 'k' }).cascade.llm[0]?.server.apiKey).toBe(
    'k',
  )
  const problems = (env: Record<string, string>) => {
    try {
      return readConfig(env) && []
    } catch (error) {
      return error instanceof ConfigError ? error.problems : []
    }
  }
  expect(problems({ PARLEY_ENGINE: 'cascade' })).toEqual(['PARLEY_ENGINE=cascade: needs CASCADE_LLM'])
  expect(problems({ PORT: 'x', CASCADE_LLM: 'deepseek:chat', OPENAI_BASE_URL: 'nonsense' })).toHaveLength(3)
})
