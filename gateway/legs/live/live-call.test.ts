import { expect, test } from 'vitest'
import { z } from 'zod'
import { briefFor } from '../../../test/harness/brief.ts'
import { ManualClock } from '../../../test/harness/clock.ts'
import type { CommandAnswer, EngineEvent } from '../../engines/engines.ts'
import { asTenantId } from '../../platform/ids.ts'
import { Problem } from '../../platform/problem.ts'
import type { LegPort, Opened } from '../../sessions/sessions.ts'
import type { Channel, ChannelEvents } from '../realtime/channel.ts'
import { Entrance } from './entrance.ts'
import { LiveCall } from './live-call.ts'
import { LiveLeg } from './live-leg.ts'
import { planOf } from './session-plan.ts'

type Told = { readonly type: string } & Readonly<Record<string, unknown>>

class FakeChannel implements Channel {
  readonly parley = false
  isOpen = true
  bufferedBytes = 0
  readonly told: Told[] = []
  closedWith: string | undefined
  events: ChannelEvents | undefined
  receive(events: ChannelEvents): void {
    this.events = events
  }
  say(event: object): void {
    this.events?.message(Buffer.from(JSON.stringify(event)), false)
  }
  send(frame: string | Uint8Array): void {
    this.told.push(JSON.parse(String(frame)))
  }
  ping(): void {}
  pause(): void {}
  resume(): void {}
  close(problem?: Problem): void {
    this.isOpen = false
    this.closedWith = problem?.code ?? 'closed'
  }
  terminate(): void {
    this.close(new Problem('too_slow'))
    this.events?.closed()
  }
}

const brief = briefFor({
  instructions: 'secret',
  clientTools: true,
  mutable: ['instructions', 'tools', 'voice'],
})

function setup() {
  const clock = new ManualClock()
  const channel = new FakeChannel()
  const leg = new LiveLeg(clock, 'websocket')
  const asked: unknown[] = []
  const ok: CommandAnswer = { is: 'applied' }
  const record =
    (name: string) =>
    (...given: unknown[]): CommandAnswer => {
      asked.push([name, ...given])
      return ok
    }
  const port = {
    ended: new Promise<void>(() => {}),
    backlogBytes: 0,
    audio: ({ pcm }: { pcm: Buffer }) => void asked.push(['audio', pcm.some((byte) => byte !== 0)]),
    played: () => {},
    slow: () => {},
  } as unknown as LegPort
  for (const name of ['command', 'toolResult', 'respond', 'userText', 'interrupt', 'cancel', 'bye', 'lost'])
    Object.assign(port, { [name]: record(name) })
  const planned = planOf({ model: 'shop', input: [] }, { brief, trusted: true })
  if (planned.is === 'refused') throw new Error(planned.error.message)
  const opened = { sessionId: 'sess_1', serverTools: [], port } as unknown as Opened
  const entrance = new Entrance(clock, channel)
  const call = new LiveCall({
    clock,
    tenantId: asTenantId('ten_1'),
    brief,
    trusted: true,
    plan: planned.plan,
    leg,
    opened,
    startEventId: 's',
  })
  channel.say({ type: 'session.start', session: { model: 'shop' } })
  call.join(entrance)
  const engine = async (event: object): Promise<void> => {
    leg.engineEvent({ source: 'provider', ...event } as EngineEvent)
    await Promise.resolve()
  }
  const types = (): string[] => channel.told.map(({ type }) => type)
  return { clock, channel, leg, asked, engine, types, call }
}

const ready = { type: 'ready', engineSessionId: 'x', model: 'm' } as const

test('nothing is said before the engine is ready; what came before is done when it is through with that', async () => {
  const { channel, leg, types, asked } = setup()
  channel.say({ type: 'session.thinking.append', content: 'x', delegation_id: null })
  expect(types()).toEqual([])
  leg.engineEvent({ source: 'provider', ...ready })
  expect(asked).toEqual([])
  await Promise.resolve()
  expect(types()).toEqual(['session.started', 'session.thinking.appended'])
  expect(channel.told[0]).toMatchObject({ client_event_id: 's', session: { id: 'sess_1' } })
  expect(JSON.stringify(channel.told)).not.toContain('secret')
  expect(asked).toEqual([['command', { type: 'note', text: 'x' }]])
})

test('seconds are told once a minute, and the last ones with the reason', async () => {
  const { clock, channel, leg, engine, types } = setup()
  await engine(ready)
  for (let i = 0; i < 5; i++) {
    channel.events?.alive()
    await clock.advance(25_000)
  }
  expect(channel.told.filter(({ type }) => type === 'session.usage.updated')).toMatchObject([
    { usage: { seconds: 60 } },
    { usage: { seconds: 120 } },
  ])
  leg.end('out_of_credit', new Problem('out_of_credit'))
  expect(channel.told.slice(-2)).toMatchObject([
    { type: 'error', error: { code: 'out_of_credit' } },
    { type: 'session.closed', reason: 'expired', usage: { seconds: 125 } },
  ])
  expect(channel.closedWith).toBe('out_of_credit')
  const count = types().length
  await clock.advance(60_000)
  expect(types()).toHaveLength(count)
})

test('an engine that calls what nobody offered gets an answer; the delegate tool is a delegation', async () => {
  const { channel, engine, asked } = setup()
  await engine(ready)
  const call = { type: 'toolCall', responseId: 'r', itemId: 'i', arguments: '{}' }
  await engine({ ...call, callId: 'c1', name: 'invented' })
  expect(asked).toMatchObject([['toolResult', 'c1', expect.stringContaining('unknown_tool')], ['respond']])
  await engine({ ...call, callId: 'c2', name: 'delegate' })
  const created = channel.told.find(({ type }) => type === 'session.delegation.created')
  const { id } = z.looseObject({ id: z.string() }).parse(created?.delegation)
  for (const content of ['First.', 'Second.'])
    channel.say({ type: 'session.commentary.append', content, delegation_id: id })
  expect(asked.slice(2)).toEqual([
    ['toolResult', 'c2', 'First.'],
    ['respond'],
    ['command', { type: 'say', text: 'Second.' }],
  ])
})

test('an instruction breaks off what is being said; one that asks for silence asks for no answer', async () => {
  const { clock, channel, engine, asked } = setup()
  await engine(ready)
  await engine({ type: 'responseStarted', responseId: 'r' })
  await engine({ type: 'audio', responseId: 'r', itemId: 'i', pcm: Buffer.alloc(48 * 1_000), ms: 1_000 })
  await clock.advance(40)
  const names = (): unknown[] => asked.splice(0).map((each) => (each as unknown[])[0])
  channel.say({ type: 'session.instructions.append', content: 'Speak of the sale.', delegation_id: null })
  expect(names()).toEqual(['command', 'interrupt', 'cancel', 'respond'])
  channel.say({ type: 'session.instructions.append', content: 'Please stop talking.', delegation_id: null })
  expect(names()).toEqual(['command', 'interrupt', 'cancel'])
})

test('a muted microphone is silence, and whoever attached hears it all the same', async () => {
  const { channel, engine, asked, call } = setup()
  await engine(ready)
  const observer = new FakeChannel()
  expect(call.attach(observer, () => {})).toBe(true)
  channel.say({ type: 'session.input_audio.mute' })
  const audio = Buffer.alloc(960, 7).toString('base64')
  channel.say({ type: 'session.input_audio.append', audio })
  channel.say({ type: 'session.input_audio.unmute' })
  channel.say({ type: 'session.input_audio.append', audio })
  expect(asked).toEqual([
    ['audio', false],
    ['audio', true],
  ])
  expect(observer.told.filter(({ type }) => type === 'session.input_audio.append')).toEqual([
    { type: 'session.input_audio.append', audio },
    { type: 'session.input_audio.append', audio },
  ])
})

test('a client that sends nothing but nonsense is closed; a session that was lost is told to the observers', async () => {
  const { channel, engine, asked, call } = setup()
  await engine(ready)
  for (let i = 0; i < 20; i++) channel.say({ type: 'nonsense' })
  expect(channel.closedWith).toBe('invalid')
  expect(asked).toEqual([['bye']])
  const second = setup()
  await second.engine(ready)
  const observer = new FakeChannel()
  second.call.attach(observer, () => {})
  second.channel.terminate()
  expect(second.asked).toMatchObject([['lost', expect.any(Number)]])
  second.leg.end('client_gone')
  expect(observer.told.at(-1)).toMatchObject({ type: 'session.closed', reason: 'connection_lost' })
  expect(observer.closedWith).toBe('closed')
  expect(call.sessionId).toBe('sess_1')
})
