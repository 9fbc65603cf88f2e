import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pino } from 'pino'
import { afterEach, expect, it } from 'vitest'
import { soundSpan } from '../sentences.ts'
import { createVoice, type Voice, voiceNamed } from './voice.ts'

const log = pino({ level: 'silent' })
const voices: Voice[] = []

function open(module?: string): Voice {
  const voice = createVoice(
    module === undefined ? { log } : { log, module: new URL(`data:text/javascript,${encodeURIComponent(module)}`) },
  )
  voices.push(voice)
  return voice
}

afterEach(async () => {
  for (const voice of voices.splice(0)) await voice[Symbol.asyncDispose]()
})

const head = 'import { parentPort as p } from "node:worker_threads"; p.postMessage({ ready: true });'

it('speaks: about as long as the sentence takes, with next to no silence before it', async () => {
  const voice = open()
  const pcm = await voice.speak('slt', 'I found three red sofas for you.')
  expect(pcm.length / 48).toBeGreaterThan(1_500)
  expect(pcm.length / 48).toBeLessThan(4_000)
  const { fromMs, toMs } = soundSpan(pcm)
  expect(fromMs).toBeLessThan(80)
  expect(pcm.length / 48 - toMs).toBeLessThan(300)
})

it('speaks with four voices that differ', async () => {
  const voice = open()
  const all = await Promise.all(
    (['slt', 'rms', 'awb', 'kal'] as const).map((name) => voice.speak(name, 'Hello there.')),
  )
  expect(new Set(all.map((pcm) => pcm.toString('base64'))).size).toBe(4)
})

it('takes text that looks like an option for text', async () => {
  expect((await open().speak('slt', '-voice list')).length / 48).toBeGreaterThan(300)
})

it('says a sentence again without making it again', async () => {
  const voice = open(`${head} let n = 0;
    p.on("message", ({ id }) => p.postMessage({ id, pcm: new Uint8Array([++n, 0]).buffer }))`)
  expect([...(await voice.speak('slt', 'a'))]).toEqual([1, 0])
  expect([...(await voice.speak('slt', 'b'))]).toEqual([2, 0])
  expect([...(await voice.speak('slt', 'a'))]).toEqual([1, 0])
  expect([...(await voice.speak('rms', 'a'))]).toEqual([3, 0])
})

it('forgets the sentence it said longest ago, not more than 4 MB', async () => {
  const voice = open(`${head} let n = 0;
    p.on("message", ({ id }) => { const pcm = new Uint8Array(1024 * 1024); pcm[0] = ++n; p.postMessage({ id, pcm: pcm.buffer }) })`)
  for (const text of ['a', 'b', 'c', 'd', 'a', 'e']) await voice.speak('slt', text)
  expect((await voice.speak('slt', 'a'))[0]).toBe(1)
  expect((await voice.speak('slt', 'b'))[0]).toBe(6)
})

it('fails those who waited when the thread dies, and starts another for the next', async () => {
  const voice = open(`${head} p.on("message", ({ id, text }) => {
    if (text === "die") process.exit(1)
    p.postMessage({ id, pcm: new ArrayBuffer(2) })
  })`)
  const [died, behind] = await Promise.allSettled([voice.speak('slt', 'die'), voice.speak('slt', 'after')])
  expect([died.status, behind.status]).toEqual(['rejected', 'rejected'])
  expect((await voice.speak('slt', 'again')).length).toBe(2)
})

it('refuses more than it can say in reasonable time', async () => {
  const voice = open(head)
  const asked = Array.from({ length: 65 }, (_, i) => voice.speak('slt', `number ${i}`))
  await expect(asked[64]).rejects.toThrow('overloaded')
  for (const each of asked) each.catch(() => {})
})

it('fails one sentence and lives when flite cannot say it', async () => {
  const voice = open(`${head} p.on("message", ({ id, text }) =>
    p.postMessage(text === "bad" ? { id, failed: "flite" } : { id, pcm: new ArrayBuffer(2) }))`)
  await expect(voice.speak('slt', 'bad')).rejects.toThrow('flite')
  expect((await voice.speak('slt', 'good')).length).toBe(2)
})

it('does not get warm where it cannot start', async () => {
  await expect(open('throw new Error("no")').warm()).rejects.toThrow('voice thread died')
})

it('does not keep a process alive that has nothing else to do', async () => {
  const script = `import { createVoice } from ${JSON.stringify(new URL('./voice.ts', import.meta.url).href)}
    const voice = createVoice({ log: { warn() {} } })
    console.log((await voice.speak('slt', 'Done.')).length > 0)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { timeout: 10_000 })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = await once(child, 'close')
  expect({ code, output }).toEqual({ code: 0, output: 'true\n' })
}, 15_000)

it.each([
  ['slt', 'slt'],
  ['kal', 'kal'],
  ['marin', 'slt'],
  ['', 'slt'],
  ['cedar', 'rms'],
  ['Verse', 'awb'],
  ['something new', 'rms'],
])('maps the voice %j to %s', (name, expected) => {
  expect(voiceNamed(name)).toBe(expected)
})
