// The fixed set of scenes. Everything in it is made by the synthesiser and a seeded generator: nothing is recorded, nothing
// licensed, and every run hears the same.

import type { Device } from './caller.ts'
import type { Heard, Scene } from './scene.ts'
import { babble, click, cough, pink, type Samples, scaled, speech, white } from './sounds.ts'

const agents = [
  'Good morning and welcome. We have three red sofas in stock, and the largest of them is the Alba.',
  'The keynote begins at ten in the main hall. After that there are two workshops about ceramics.',
  'Your order left our store yesterday. It should reach you on Friday, and the driver will call before.',
] as const
const agentMs = 6_600
const voices = ['rms', 'slt', 'awb', 'kal'] as const
const panel = (wayMs: number): Device => ({ kind: 'panel', wayMs })
const stock = (wayMs: number): Device => ({ kind: 'stock', wayMs })

function agent(i: number): string {
  return agents[i % agents.length] ?? agents[0]
}

async function heard(text: string, atMs: number, i: number): Promise<Heard> {
  const samples = await speech(text, voices[i % voices.length], [1, 0.94, 1.08][i % 3] ?? 1)
  return { atMs, samples, words: text.toLowerCase().replace(/[,.?!]/g, '') }
}

const rooms = new Map<string, Promise<Samples>>()

/** The room at a level, dB below full scale; voices are at -22. */
async function room(kind: string, db: number): Promise<Samples> {
  const ms = agentMs + 6_000
  const make = async (): Promise<Samples> =>
    kind === 'white' ? white(ms, 3) : kind === 'pink' ? pink(ms, 5) : babble(ms, 7)
  const made = rooms.get(kind) ?? make()
  rooms.set(kind, made)
  return scaled(await made, db)
}

const interruptions = [
  'Wait, stop please, I wanted to ask something else.',
  'Sorry, but how much does the blue one cost?',
  'No no, that is not what I meant at all.',
  'Excuse me, can I talk to somebody about my bill?',
  'Hold on, what did you say about the delivery?',
  'Actually I would like to cancel my order today.',
  'Can you tell me where your shop is, please?',
  'That is too expensive, do you have anything cheaper?',
] as const

/** Real ones: at different moments, by different voices, in different rooms, over both kinds of player. */
export async function realScenes(): Promise<readonly Scene[]> {
  const kinds = [undefined, ['white', -50], ['pink', -45], ['babble', -46], ['white', -40], undefined] as const
  const scenes: Scene[] = []
  for (let i = 0; i < 42; i++) {
    const text = interruptions[i % interruptions.length] ?? ''
    const atMs = 700 + ((i * 431) % (i % 4 === 3 ? 1_300 : 2_900))
    const kind = kinds[i % kinds.length]
    const way = [20, 40, 80][i % 3] ?? 40
    const device = i % 4 === 3 ? stock(way) : panel(way)
    const echo = i % 7 === 5 ? { room: { delayMs: 40 + ((i * 37) % 200), db: -24 + (i % 3) * 4 } } : {}
    scenes.push({
      name: `real ${i}: "${text}" at ${atMs} ms, ${kind?.join(' ') ?? 'quiet'}, ${device.kind}${'room' in echo ? ', echo' : ''}`,
      agent: agent(i),
      device: { ...device, ...echo },
      sounds: [await heard(text, atMs, i)],
      ...(kind === undefined ? {} : { noise: await room(kind[0], kind[1]) }),
      lastsMs: atMs + 5_500,
      ...(i % 11 === 7 ? { hears: 'speech' as const } : {}),
    })
  }
  return scenes
}

/** One word that is meant: only its meaning tells, so that the agent goes on until it is known. */
export async function shortScenes(): Promise<readonly Scene[]> {
  const words = ['Stop', 'Wait', 'No', 'Why']
  return Promise.all(
    words.map(async (text, i) => ({
      name: `one word: ${text}`,
      agent: agent(i),
      device: panel(40),
      sounds: [await heard(text, 1_500 + 300 * i, i)],
      lastsMs: 8_500,
    })),
  )
}

const nods = [
  ...['uh-huh', 'mm', 'yeah', 'okay', 'right', 'I see', 'got it', 'sure', 'yes', 'hm', 'oh', 'exactly'].map((w) => [
    w,
    'en',
  ]),
  ...['ja', 'genau', 'okay', 'gut', 'klar', 'ach so'].map((w) => [w, 'de']),
  ...['oui', "d'accord", 'bien', 'ouais', 'bon'].map((w) => [w, 'fr']),
  ...['si', 'vale', 'claro', 'bueno', 'bien'].map((w) => [w, 'es']),
] as const

/** Nods, in as much of each language as the synthesiser can say. */
export async function nodScenes(): Promise<readonly Scene[]> {
  return Promise.all(
    [...nods, ...nods.slice(0, 12)].map(async ([word = '', language = 'en'], i) => ({
      name: `nod ${i}: "${word}" (${language})`,
      agent: agent(i),
      device: i % 5 === 4 ? stock(40) : panel([20, 60][i % 2] ?? 40),
      sounds: [await heard(word, 1_000 + ((i * 277) % 3_000), i)],
      ...(i % 6 === 5 ? { noise: await room('pink', -48) } : {}),
      ...(i % 9 === 8 ? { hears: 'speech' as const } : {}),
      language,
      lastsMs: agentMs + 3_000,
    })),
  )
}

/** Nobody says anything: coughs, keys, a fan, the next room. */
export async function noiseScenes(): Promise<readonly Scene[]> {
  const sounds: [string, (seed: number) => Samples][] = [
    ['cough', (seed) => scaled(cough(seed), -16)],
    ['soft cough', (seed) => scaled(cough(seed), -28)],
    ['click', (seed) => scaled(click(seed), -12)],
    ['burst of white noise', (seed) => scaled(white(700, seed), -25)],
    ['burst of pink noise', (seed) => scaled(pink(1_200, seed), -22)],
  ]
  const bursts = Array.from({ length: 20 }, (_, i): Scene => {
    const [name = '', make] = sounds[i % sounds.length] ?? []
    const samples = make?.(i + 1) ?? new Float32Array(0)
    return {
      name: `noise ${i}: ${name}`,
      agent: agent(i),
      device: i % 4 === 3 ? stock(40) : panel(40),
      sounds: [1_000, 2_600].map((atMs) => ({ atMs: atMs + 90 * i, samples, words: '' })),
      lastsMs: agentMs + 2_500,
    }
  })
  const kinds = ['white', 'pink', 'babble'].flatMap((kind) => [-52, -46, -40].map((db) => [kind, db] as const))
  const steady = kinds.map(
    async ([kind, db], i): Promise<Scene> => ({
      name: `room: ${kind} at ${db} dB`,
      agent: agent(i),
      device: panel(40),
      noise: await room(kind, db),
      sounds: [],
      lastsMs: agentMs + 2_500,
    }),
  )
  return [...bursts, ...(await Promise.all(steady))]
}

/** The agent's own voice comes back: at every delay and loudness a device without echo cancellation has. */
export async function echoScenes(): Promise<readonly Scene[]> {
  const scenes: Scene[] = []
  for (const delayMs of [20, 60, 110, 180, 260, 400, 600]) {
    for (const db of [-34, -28, -22, -16, -10, -4]) {
      for (const kind of ['panel', 'stock', 'noisy'] as const) {
        const i = scenes.length
        const device = { ...(kind === 'stock' ? stock(60) : panel(40)), room: { delayMs, db } }
        scenes.push({
          name: `echo ${i}: ${delayMs} ms, ${db} dB, ${kind}`,
          agent: agent(i),
          device,
          sounds: [],
          ...(kind === 'noisy' ? { noise: await room(i % 2 === 0 ? 'pink' : 'white', -50) } : {}),
          lastsMs: agentMs + 2_000,
        })
      }
    }
  }
  return scenes
}
