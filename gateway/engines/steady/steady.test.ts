import { describe, expect, it } from 'vitest'
import type { EngineEvent } from '../engines.ts'
import { Rig } from './scripted.test-support.ts'

const line = { text: 'One moment, please.', pcm: Buffer.alloc(48 * 900) }
const holdingLine = async () => line
const pcm = (ms: number, fill = 1) => Buffer.alloc(ms * 48, fill)

function asked(rig: Rig): void {
  rig.engine.send({ type: 'userText', itemId: 'item_q', text: 'How does delivery work?' })
  rig.engine.send({ type: 'respond' })
}

it('[E2] opens another engine at once when one is lost, and asks it for what follows the words that were heard', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver on')
  rig.history = [
    { role: 'user', text: 'How does delivery work?' },
    { role: 'agent', text: 'We deliver on' },
  ]
  rig.now.closed('lost', 'ws_1006')
  expect(rig.opened).toHaveLength(2)
  expect(rig.troubles).toEqual(['lost ws_1006'])
  expect(rig.types().slice(-3)).toEqual(['audioDone', 'agentText', 'responseDone'])
  expect(rig.events.at(-1)).toMatchObject({ status: 'incomplete', reason: 'engine_lost', source: 'local' })
  expect(rig.finals()).toEqual(['We deliver on'])
  expect(rig.now.options.brief.history).toEqual(rig.history)
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'goOn', after: 'We deliver on' }])
  rig.now.begin('resp_2', 'item_2')
  rig.now.say('every weekday.', { responseId: 'resp_2', itemId: 'item_2' })
  rig.now.end('every weekday.', { responseId: 'resp_2', itemId: 'item_2' })
  expect(rig.finals().join(' ')).toBe('We deliver on every weekday.')
  expect(rig.of('ready')).toHaveLength(1)
  expect(rig.of('closed')).toEqual([])
})

it('[E3] counts only the words as heard that had sound: text runs ahead of it', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver')
  rig.now.say(' on every weekday', { ms: 0 })
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.finals()).toEqual(['We deliver'])
  expect(rig.now.of('goOn')).toEqual([{ type: 'goOn', after: 'We deliver' }])
})

it('[E3] takes no word for heard that nobody could have spoken in the time', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver on every weekday between eight and six', { ms: 400 })
  rig.now.closed('lost', 'ws_1006')
  expect(rig.finals()).toEqual(['We deliver'])
})

it('[E2] begins the answer anew when nothing of it was heard', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'goOn', after: '' }])
})

describe('a voice that answers before the speech is over', () => {
  const live = [{ kind: 'openai-live', capabilities: { conversation: 'continuous' } }] as const
  const heard = 'We deliver on'

  it('[E2] [E4] is asked for what follows of an answer that broke off, and not for a second one', () => {
    const rig = new Rig(live).live()
    rig.now.speech('start')
    rig.now.begin()
    rig.now.speech('stop')
    rig.now.say(heard)
    rig.now.closed('lost', 'ws_1006')
    rig.now.ready()
    expect(rig.now.sent).toEqual([{ type: 'goOn', after: heard }])
  })

  it('[E4] is asked for an answer to speech that came while it spoke, or whose answer was cut', () => {
    const rig = new Rig(live).live()
    rig.now.begin()
    rig.now.say(heard)
    rig.now.speech('start')
    rig.now.speech('stop')
    rig.now.closed('lost', 'ws_1006')
    rig.now.ready()
    expect(rig.now.sent).toEqual([{ type: 'goOn', after: '' }])
    const cut = new Rig(live).live()
    cut.now.speech('start')
    cut.now.begin()
    cut.engine.send({ type: 'cancel' })
    cut.now.speech('stop')
    cut.now.words('How does delivery work?')
    cut.now.closed('lost', 'ws_1006')
    cut.now.ready()
    expect(cut.now.sent).toEqual([{ type: 'goOn', after: '' }])
  })

  it('[E4] keeps the answer due of an engine that takes turns: what it began is about what was said before', () => {
    const rig = new Rig().live()
    rig.now.speech('start')
    rig.now.begin()
    rig.now.speech('stop')
    rig.now.closed('lost', 'ws_1006')
    rig.now.ready()
    expect(rig.now.sent).toEqual([{ type: 'goOn', after: '' }])
  })
})

it('[E4] asks for an answer that was due and had not begun, once', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.engine.send({ type: 'respond' })
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'goOn', after: '' }])
})

it('[E4] asks for nothing when nothing was due, and tells who took over', () => {
  const rig = new Rig().live()
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready('model-1-dated')
  expect(rig.now.sent).toEqual([])
  expect(rig.switches).toEqual(['openai-realtime model-1'])
  expect(rig.types()).toEqual(['ready'])
})

it('[E2] says the rest of a sentence it was to say word for word', () => {
  const rig = new Rig().live()
  rig.engine.send({ type: 'say', text: 'Welcome to the shop. How may I help?' })
  rig.now.begin()
  rig.now.say('Welcome to')
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'say', text: 'the shop. How may I help?' }])
})

it('[E2] goes on over two losses as over one', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver')
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  rig.now.begin('resp_2', 'item_2')
  rig.now.say('on every', { responseId: 'resp_2', itemId: 'item_2' })
  rig.now.closed('lost', 'ws_1006')
  return rig.clock.advance(1_000).then(() => {
    rig.now.ready()
    expect(rig.now.sent).toEqual([{ type: 'goOn', after: 'We deliver on every' }])
    expect(rig.finals()).toEqual(['We deliver', 'on every'])
  })
})

it('[E4] does not go on with an old answer when the person has asked something new', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver on')
  rig.now.closed('lost', 'ws_1006')
  rig.engine.send({ type: 'userText', itemId: 'item_n', text: 'Something else' })
  rig.engine.send({ type: 'respond' })
  rig.now.ready()
  expect(rig.now.sent.map(({ type }) => type)).toEqual(['userText', 'goOn'])
  expect(rig.now.of('goOn')).toEqual([{ type: 'goOn', after: '' }])
})

it('[E4] drops the rest of an answer when a newer question waits for its turn', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver on')
  rig.engine.send({ type: 'userText', itemId: 'item_n', text: 'Something else' })
  rig.engine.send({ type: 'respond' })
  rig.engine.send({ type: 'say', text: 'We close soon.' })
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.now.sent).toEqual([
    { type: 'goOn', after: '' },
    { type: 'say', text: 'We close soon.' },
  ])
})

it('[E4] does not go on with an answer that the person cut short', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver on')
  rig.engine.send({ type: 'truncate', itemId: 'item_1', heardMs: 300 })
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.now.sent).toEqual([])
})

it('[E1] drops what a replaced engine still says, but counts what it cost', () => {
  const rig = new Rig().live()
  const [first] = rig.opened
  first?.emit({ type: 'usage', source: 'provider', meters: { 'output.audio.tokens': 10, 'input.text.tokens': 5 } })
  first?.closed('lost', 'ws_1006')
  rig.now.ready()
  const before = rig.events.length
  first?.begin('resp_9', 'item_9')
  first?.say('late', { responseId: 'resp_9', itemId: 'item_9' })
  first?.closed('lost', 'again')
  expect(rig.events).toHaveLength(before)
  rig.now.emit({ type: 'usage', source: 'provider', meters: { 'output.audio.tokens': 7 } })
  expect(rig.of('usage').at(-1)?.meters).toEqual({ 'output.audio.tokens': 17, 'input.text.tokens': 5 })
  first?.emit({ type: 'usage', source: 'provider', meters: { 'output.audio.tokens': 12, 'input.text.tokens': 5 } })
  expect(rig.of('usage').at(-1)?.meters).toEqual({ 'output.audio.tokens': 19, 'input.text.tokens': 5 })
})

it('[E5] tries again twice with a pause, then the second engine, with its own model', async () => {
  const rig = new Rig([{}, { kind: 'demo' }])
  rig.engine.start()
  rig.now.refuse('http_503')
  expect(rig.opened).toHaveLength(1)
  await rig.clock.advance(300)
  expect(rig.opened).toHaveLength(2)
  rig.now.refuse('http_503')
  await rig.clock.advance(800)
  expect(rig.opened).toHaveLength(3)
  rig.now.refuse('http_503')
  expect(rig.opened.map(({ kind }) => kind)).toEqual(['openai-realtime', 'openai-realtime', 'openai-realtime', 'demo'])
  expect(rig.now.options.brief.model).toBe('demo-default')
  rig.now.ready()
  expect(rig.types()).toEqual(['ready'])
  expect(rig.clock.monotonicMs()).toBeLessThan(4_000)
})

it('[E13] does not lose the question, nor tell the client, when a provider refuses by an error after it had accepted', () => {
  const rig = new Rig([{}, { kind: 'demo' }])
  rig.engine.start()
  asked(rig)
  const wire = Buffer.from('{}')
  rig.now.emit({ type: 'error', source: 'provider', wire, code: 'invalid_model', message: '', benign: false })
  rig.now.refuse('invalid_model')
  rig.now.ready()
  // The question is in the history that it was given.
  expect(rig.now.sent).toEqual([{ type: 'goOn', after: '' }])
  expect(rig.types()).toEqual(['ready'])
})

it('[E5] goes to the second engine at once when trying again is pointless', () => {
  const rig = new Rig([{}, { kind: 'demo' }])
  rig.engine.start()
  rig.now.refuse('invalid_api_key')
  expect(rig.opened.map(({ kind }) => kind)).toEqual(['openai-realtime', 'demo'])
})

it('[E5] waits as long as a provider asks for, up to 3 s, and no longer', async () => {
  const rig = new Rig()
  rig.engine.start()
  rig.now.refuse('rate_limit_exceeded', 1_000)
  await rig.clock.advance(999)
  expect(rig.opened).toHaveLength(1)
  await rig.clock.advance(300)
  expect(rig.opened).toHaveLength(2)
  rig.now.refuse('rate_limit_exceeded', 60_000)
  expect(rig.of('closed')).toMatchObject([{ cause: 'refused', code: 'rate_limit_exceeded' }])
})

it('[E6] ends honestly, once, when every engine refuses', async () => {
  const rig = new Rig([{}, { kind: 'demo' }])
  rig.engine.start()
  rig.now.refuse('invalid_api_key')
  rig.now.refuse('voice_unavailable')
  expect(rig.types()).toEqual(['closed'])
  expect(rig.of('closed')[0]).toMatchObject({ cause: 'refused', code: 'voice_unavailable' })
  expect(rig.engine.send({ type: 'respond' })).toEqual({ is: 'rejected', reason: 'closed' })
})

it('[E6] ends within 8 s when an engine was lost and nobody gets ready', async () => {
  const rig = new Rig().live()
  rig.now.closed('lost', 'ws_1006')
  await rig.clock.advance(7_900)
  expect(rig.of('closed')).toEqual([])
  await rig.clock.advance(200)
  expect(rig.of('closed')).toMatchObject([{ cause: 'lost', code: 'timeout' }])
  expect(rig.now.closing).toBe(true)
})

it('[E6] gives up an engine that says nothing at the start after 3 s where another is left', async () => {
  const rig = new Rig([{}, { kind: 'demo' }])
  rig.engine.start()
  await rig.clock.advance(3_000)
  expect(rig.opened.map(({ kind }) => kind)).toEqual(['openai-realtime', 'demo'])
  rig.now.ready()
  expect(rig.types()).toEqual(['ready'])
})

it('[E6] is not caught by an engine that gets ready and dies again and again', async () => {
  const rig = new Rig().live()
  for (let i = 0; i < 20; i++) {
    if (rig.of('closed').length > 0) break
    rig.now.closed('lost', 'ws_1006')
    await rig.clock.advance(1_500)
    rig.now.ready()
  }
  expect(rig.opened.length).toBeLessThanOrEqual(4)
  expect(rig.of('closed')).toMatchObject([{ cause: 'lost' }])
})

it('[E8] says that it takes a moment when the person has nothing to hear for 2 s, in an answer of its own', async () => {
  const rig = new Rig([{}], { holdingLine }).live()
  asked(rig)
  rig.now.closed('lost', 'ws_1006')
  await rig.clock.advance(1_900)
  expect(rig.of('audio')).toEqual([])
  await rig.clock.advance(200)
  expect(rig.of('audio').reduce((sum, { ms }) => sum + ms, 0)).toBe(900)
  const own = rig.events.slice(1)
  expect(new Set(own.map(({ source }) => source))).toEqual(new Set(['local']))
  expect(own.map(({ type }) => type).slice(0, 3)).toEqual(['responseStarted', 'agentItem', 'agentText'])
  expect(own.at(-1)).toMatchObject({ type: 'responseDone', status: 'completed' })
  rig.history = [
    { role: 'user', text: 'How does delivery work?' },
    { role: 'agent', text: 'One moment, please.' },
  ]
  rig.now.refuse('http_503')
  await rig.clock.advance(1_000)
  expect(rig.now.options.brief.history).toEqual([{ role: 'user', text: 'How does delivery work?' }])
  // Once for each trouble.
  await rig.clock.advance(4_000)
  expect(rig.of('responseStarted')).toHaveLength(1)
})

it('[E8] does not say it when the agent is heard again before the line is made', async () => {
  const made = Promise.withResolvers<typeof line>()
  const rig = new Rig([{}], { holdingLine: () => made.promise }).live()
  asked(rig)
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  await rig.clock.advance(2_100)
  rig.now.begin('resp_2', 'item_2')
  rig.now.say('We', { responseId: 'resp_2', itemId: 'item_2' })
  // Played by now: nothing but the end of the trouble keeps it back.
  await rig.clock.advance(1_000)
  made.resolve(line)
  await rig.clock.advance(100)
  expect(rig.of('responseStarted')).toHaveLength(1)
})

it.each([
  ['writing', { outputModality: 'text' as const }, holdingLine],
  ['a language it has no voice for', {}, async () => undefined],
  ['no voice at all', {}, () => Promise.reject(new Error('none'))],
])('[E8] says nothing in between: %s', async (_, brief, voice) => {
  const rig = new Rig([{}], { holdingLine: voice, brief }).live()
  asked(rig)
  rig.now.closed('lost', 'ws_1006')
  await rig.clock.advance(5_000)
  expect(rig.types()).toEqual(['ready'])
  expect(rig.troubles).toHaveLength(1)
})

it('[E8] says nothing in between while the answer still plays, nobody waits, or the person speaks', async () => {
  const playing = new Rig([{}], { holdingLine }).live()
  asked(playing)
  playing.now.begin()
  playing.now.say('x'.repeat(100), { ms: 6_000 })
  playing.now.closed('lost', 'ws_1006')
  await playing.clock.advance(5_900)
  expect(playing.of('responseStarted')).toHaveLength(1)
  await playing.clock.advance(200)
  expect(playing.of('responseStarted')).toHaveLength(2)
  const idle = new Rig([{}], { holdingLine }).live()
  idle.now.closed('lost', 'ws_1006')
  await idle.clock.advance(6_000)
  expect(idle.types()).toEqual(['ready'])
  const spoken = new Rig([{}], { holdingLine }).live()
  asked(spoken)
  spoken.now.closed('lost', 'ws_1006')
  spoken.now.ready()
  spoken.now.speech('start')
  await spoken.clock.advance(3_000)
  expect(spoken.of('responseStarted')).toEqual([])
})

it('[E7] gives an engine up that is silent for 8 s while an answer is due, having said so at 4 s', async () => {
  const rig = new Rig([{}], { holdingLine }).live()
  asked(rig)
  await rig.clock.advance(3_900)
  expect(rig.troubles).toEqual([])
  await rig.clock.advance(200)
  expect(rig.troubles).toEqual(['silent silent'])
  expect(rig.of('audio').length).toBeGreaterThan(0)
  await rig.clock.advance(3_700)
  expect(rig.opened).toHaveLength(1)
  await rig.clock.advance(300)
  expect(rig.opened).toHaveLength(2)
  expect(rig.opened[0]?.closing).toBe(true)
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'goOn', after: '' }])
})

it('[E7] ends an answer that stopped in the middle for 8 s, and goes on with it', async () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver on')
  await rig.clock.advance(8_100)
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'goOn', after: 'We deliver on' }])
})

it('[E7] has patience while anything comes, nothing is due, or the client holds the engine back', async () => {
  const busy = new Rig().live()
  asked(busy)
  for (let i = 0; i < 6; i++) {
    await busy.clock.advance(3_500)
    busy.now.emit({ type: 'native', source: 'provider', name: 'something' })
  }
  const idle = new Rig().live()
  await idle.clock.advance(60_000)
  const held = new Rig().live()
  asked(held)
  held.engine.pause()
  await held.clock.advance(60_000)
  for (const rig of [busy, idle, held]) expect([rig.opened.length, rig.troubles]).toEqual([1, []])
  held.engine.resume()
  await held.clock.advance(8_100)
  expect(held.opened).toHaveLength(2)
})

it('[E7] ends within 12 s when the engine after a silent one is silent too', async () => {
  const rig = new Rig().live()
  asked(rig)
  await rig.clock.advance(8_000)
  rig.now.ready()
  await rig.clock.advance(4_000)
  expect(rig.of('closed')).toMatchObject([{ cause: 'lost', code: 'silent' }])
})

it('[E9] asks again when an answer fails for too many requests, then another engine', async () => {
  const rig = new Rig([{}, { kind: 'demo' }]).live()
  asked(rig)
  const fail = (n: number) => {
    rig.now.emit({ type: 'responseStarted', source: 'provider', responseId: `resp_${n}` })
    rig.now.emit({ type: 'rateLimited', source: 'provider', retryAfterMs: null })
    rig.now.end('', { responseId: `resp_${n}`, status: 'failed', reason: 'rate_limit_exceeded' })
  }
  fail(1)
  expect(rig.troubles).toEqual(['rate_limited rate_limit_exceeded'])
  await rig.clock.advance(400)
  expect(rig.now.of('goOn')).toEqual([{ type: 'goOn', after: '' }])
  fail(2)
  await rig.clock.advance(1_000)
  expect(rig.now.of('goOn')).toHaveLength(2)
  fail(3)
  expect(rig.now.kind).toBe('demo')
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'goOn', after: '' }])
})

it('[E9] lets a failed answer stand where there is no other engine, and goes on living', async () => {
  const rig = new Rig().live()
  asked(rig)
  for (let n = 1; n <= 3; n++) {
    rig.now.emit({ type: 'responseStarted', source: 'provider', responseId: `resp_${n}` })
    rig.now.end('', { responseId: `resp_${n}`, status: 'failed', reason: 'server_error' })
    await rig.clock.advance(1_500)
  }
  await rig.clock.advance(20_000)
  expect([rig.opened.length, rig.of('closed').length, rig.now.of('goOn').length]).toEqual([1, 0, 2])
})

it('[E9] asks again when a request is refused for too many before its answer begins', async () => {
  const rig = new Rig().live()
  rig.engine.send({ type: 'say', text: 'Hello.' })
  rig.now.emit({ type: 'error', source: 'provider', code: 'rate_limit_exceeded', message: '', benign: false })
  await rig.clock.advance(500)
  expect(rig.now.of('say')).toHaveLength(2)
})

it('[E7] does not wait for an answer to a client’s own request that was refused', async () => {
  const rig = new Rig().live()
  rig.engine.send({ type: 'respond', raw: { type: 'response.create', event_id: 'mine' } })
  const error = { type: 'error', source: 'provider', message: '', benign: true } as const
  const code = 'conversation_already_has_active_response'
  rig.now.emit({ ...error, wire: Buffer.from('{}'), code, eventId: 'mine' })
  await rig.clock.advance(20_000)
  expect([rig.opened.length, rig.troubles]).toEqual([1, []])
})

it('[E4] takes one answer for the answer to all speech before it, and still waits for what was asked for besides', async () => {
  const rig = new Rig().live()
  for (const itemId of ['item_a', 'item_b']) {
    rig.now.speech('start', itemId)
    rig.now.speech('stop', itemId)
    rig.now.words('hello', itemId)
  }
  rig.engine.send({ type: 'say', text: 'We close soon.' })
  rig.now.begin()
  rig.now.end('Hello.')
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.now.sent).toEqual([{ type: 'say', text: 'We close soon.' }])
})

it('[E7] does not wait for answers outside of the conversation', async () => {
  const rig = new Rig().live()
  const raw = { type: 'response.create', response: { conversation: 'none' } }
  expect(rig.engine.send({ type: 'respond', raw }).is).toBe('accepted')
  await rig.clock.advance(20_000)
  expect(rig.opened).toHaveLength(1)
})

it('[E1] treats a session that expires like a lost one, and keeps the provider’s words about it to itself', () => {
  const rig = new Rig().live()
  rig.now.emit({ type: 'error', source: 'provider', code: 'session_expired', message: 'x', benign: false })
  rig.now.closed('expired', 'session_expired')
  rig.now.ready()
  expect(rig.types()).toEqual(['ready'])
})

it('[E11] is told its settings, notes and open results again, in a new engine of another kind too', async () => {
  const rig = new Rig([{ capabilities: { dialect: 'openai-realtime-ga' } }, { kind: 'demo' }]).live()
  const { engine } = rig
  engine.send({ type: 'update', fields: { instructions: 'Be brief.', outputModality: 'text' } })
  engine.send({ type: 'native', event: { type: 'session.update', session: { audio: { output: { speed: 1.2 } } } } })
  engine.send({
    type: 'native',
    event: { type: 'session.update', session: { audio: { input: { noise_reduction: null } } } },
  })
  engine.send({ type: 'note', text: 'On the page about sofas.' })
  asked(rig)
  const call = { responseId: 'resp_1', itemId: 'item_c', callId: 'call_1', name: 'search', arguments: '{}' }
  rig.now.emit({ type: 'responseStarted', source: 'provider', responseId: 'resp_1' })
  rig.now.emit({ type: 'toolCall', source: 'provider', ...call })
  rig.now.end('')
  engine.send({ type: 'toolResult', callId: 'call_1', output: '{"count":1}' })
  expect(rig.now.of('toolResult')).toEqual([{ type: 'toolResult', callId: 'call_1', output: '{"count":1}' }])
  engine.send({ type: 'respond' })
  rig.now.closed('lost', 'ws_1006')
  const merged = { audio: { output: { speed: 1.2 }, input: { noise_reduction: null } } }
  const foreign = { type: 'toolResult', callId: 'call_1', output: '{"count":1}', foreign: 'search' }
  const note = { type: 'note', text: 'On the page about sofas.' }
  expect(rig.now.options.brief).toMatchObject({ instructions: 'Be brief.', outputModality: 'text' })
  expect(rig.now.sent).toEqual([{ type: 'native', event: { type: 'session.update', session: merged } }, note, foreign])
  rig.now.refuse('invalid_api_key')
  expect(rig.now.kind).toBe('demo')
  expect(rig.now.sent).toEqual([note, foreign])
  rig.now.ready()
  expect(rig.now.of('goOn')).toHaveLength(1)
  expect(rig.engine.capabilities.dialect).toBe('none')
  rig.now.begin('resp_2', 'item_2')
  rig.now.end('One sofa.', { responseId: 'resp_2', itemId: 'item_2' })
  // Spoken about: no longer news.
  rig.now.closed('lost', 'voice_lost')
  expect(rig.now.of('toolResult')).toEqual([])
})

it('[E11] gives the result of a lost engine’s call to its replacement as something known', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.emit({ type: 'responseStarted', source: 'provider', responseId: 'resp_1' })
  const call = { responseId: 'resp_1', itemId: 'item_c', callId: 'call_1', name: 'search', arguments: '{}' }
  rig.now.emit({ type: 'toolCall', source: 'provider', ...call })
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  // The answer goes on with the result, not before.
  expect(rig.now.sent).toEqual([])
  expect(rig.engine.send({ type: 'toolResult', callId: 'call_1', output: '{}' }).is).toBe('accepted')
  expect(rig.now.sent).toEqual([{ type: 'toolResult', callId: 'call_1', output: '{}', foreign: 'search' }])
})

it('[E11] asks no new engine about items of an old one', () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver.')
  rig.now.end('We deliver.')
  rig.now.closed('lost', 'ws_1006')
  rig.now.ready()
  expect(rig.engine.send({ type: 'truncate', itemId: 'item_1', heardMs: 100 })).toEqual({ is: 'applied' })
  expect(rig.now.sent).toEqual([])
})

it('[E12] lets a replacement hear what nobody has the words of, and closes the item of the old one without words', () => {
  const rig = new Rig().live()
  const [first] = rig.opened
  rig.engine.audio({ pcm: pcm(1_000, 1) })
  rig.engine.audio({ pcm: pcm(1_000, 2) })
  first?.speech('start')
  rig.engine.audio({ pcm: pcm(1_000, 3) })
  first?.closed('lost', 'ws_1006')
  rig.engine.audio({ pcm: pcm(500, 4) })
  expect(rig.of('userText')).toMatchObject([{ itemId: 'item_u', final: '', source: 'local' }])
  expect(rig.now.heard).toEqual([])
  rig.now.ready()
  expect(rig.now.heard.map((each) => each[0])).toEqual([1, 2, 3, 4])
  expect(rig.now.sent).toEqual([])
})

it('[E12] does not let a replacement hear again what was put into words or is being answered', () => {
  const worded = new Rig().live()
  worded.now.speech('start')
  worded.engine.audio({ pcm: pcm(1_000, 3) })
  worded.now.speech('stop')
  worded.now.words('How does delivery work?')
  worded.engine.audio({ pcm: pcm(100, 4) })
  worded.now.closed('lost', 'ws_1006')
  worded.now.ready()
  expect(worded.now.heard.map((each) => each[0])).toEqual([4])
  expect(worded.now.sent).toEqual([{ type: 'goOn', after: '' }])
  const answering = new Rig().live()
  answering.now.speech('start')
  answering.engine.audio({ pcm: pcm(1_000, 3) })
  answering.now.speech('stop')
  answering.now.begin()
  answering.now.say('We deliver')
  answering.now.closed('lost', 'ws_1006')
  expect(answering.of('userText')).toMatchObject([{ failed: 'engine_lost' }])
  answering.now.ready()
  expect(answering.now.heard).toEqual([])
  expect(answering.now.sent).toEqual([{ type: 'goOn', after: 'We deliver' }])
})

it('[E7] does not take silence for trouble when there was nothing to answer', async () => {
  const rig = new Rig().live()
  rig.now.speech('start')
  rig.now.speech('stop')
  rig.now.words('')
  await rig.clock.advance(20_000)
  expect([rig.opened.length, rig.troubles]).toEqual([1, []])
})

it('[E10] exchanges the engine at 80 % of its cap when nobody speaks, the new one being ready first', async () => {
  const rig = new Rig([{ capabilities: { maxDurationMs: 100_000 } }]).live()
  const [first] = rig.opened
  await rig.clock.advance(79_000)
  asked(rig)
  first?.begin()
  first?.say('We deliver')
  first?.say(' on weekdays')
  await rig.clock.advance(2_000)
  expect(rig.opened).toHaveLength(1)
  first?.end('We deliver on weekdays')
  expect(rig.opened).toHaveLength(2)
  rig.engine.audio({ pcm: pcm(20) })
  expect(first?.heard).toHaveLength(1)
  rig.now.ready()
  expect([first?.closing, rig.now.closing]).toEqual([true, false])
  expect(rig.now.heard).toHaveLength(1)
  rig.engine.send({ type: 'respond' })
  expect(rig.now.of('respond')).toHaveLength(1)
  first?.closed('asked', 'asked')
  expect([rig.of('closed'), rig.troubles]).toEqual([[], []])
  expect(rig.switches).toHaveLength(1)
})

it('[E10] waits for the next pause when the person speaks while the new engine gets ready', async () => {
  const rig = new Rig([{ capabilities: { maxDurationMs: 100_000 } }]).live()
  const [first] = rig.opened
  await rig.clock.advance(80_000)
  first?.speech('start')
  const [, second] = rig.opened
  second?.ready()
  expect([first?.closing, second?.closing]).toEqual([false, true])
  first?.speech('stop')
  first?.words('hello')
  first?.begin()
  first?.end('Hi.')
  expect(rig.opened).toHaveLength(3)
  rig.now.ready()
  expect(first?.closing).toBe(true)
})

it('[E10] exchanges the engine at 97 % of its cap in any case', async () => {
  const rig = new Rig([{ capabilities: { maxDurationMs: 100_000 } }]).live()
  asked(rig)
  rig.now.begin()
  const [first] = rig.opened
  for (let i = 0; i < 98; i++) {
    first?.say(i % 2 === 0 ? ' aa' : ' bb')
    await rig.clock.advance(1_000)
  }
  expect(first?.closing).toBe(true)
  expect(rig.of('responseDone')).toMatchObject([{ status: 'incomplete' }])
  rig.now.ready()
  expect(rig.now.of('goOn')[0]?.after).toMatch(/^aa bb .* aa$/)
})

it('[E10] counts from when the engine learns of its cap, and no more once it has none', async () => {
  const rig = new Rig().live()
  const [first] = rig.opened
  if (first === undefined) throw new Error('nothing was opened')
  await rig.clock.advance(60_000)
  first.capabilities = { ...first.capabilities, maxDurationMs: 100_000 }
  rig.engine.send({ type: 'update', fields: { outputModality: 'audio' } })
  await rig.clock.advance(79_000)
  first.words('hello')
  expect(rig.opened).toHaveLength(1)
  first.capabilities = { ...first.capabilities, maxDurationMs: null }
  rig.engine.send({ type: 'update', fields: { outputModality: 'text' } })
  await rig.clock.advance(60_000)
  expect(rig.opened).toHaveLength(1)
  first.capabilities = { ...first.capabilities, maxDurationMs: 100_000 }
  rig.engine.send({ type: 'update', fields: { outputModality: 'audio' } })
  await rig.clock.advance(80_000)
  expect(rig.opened).toHaveLength(2)
})

it('[E10] keeps the engine it has when the new one cannot be had yet, and tries again', async () => {
  const rig = new Rig([{ capabilities: { maxDurationMs: 100_000 } }]).live()
  const [first] = rig.opened
  await rig.clock.advance(80_000)
  rig.now.refuse('http_503')
  expect([first?.closing, rig.of('closed').length]).toEqual([false, 0])
  await rig.clock.advance(5_100)
  expect(rig.opened).toHaveLength(3)
  rig.now.ready()
  expect(first?.closing).toBe(true)
})

it('[E13] keeps the client’s pause over an exchange', () => {
  const rig = new Rig().live()
  rig.engine.pause()
  rig.now.closed('lost', 'ws_1006')
  expect(rig.now.paused).toBe(false)
  rig.now.ready()
  expect(rig.now.paused).toBe(true)
  rig.engine.resume()
  expect(rig.now.paused).toBe(false)
})

it('[E13] remembers what is asked between two tries', async () => {
  const rig = new Rig().live()
  rig.now.closed('lost', 'ws_1006')
  rig.now.refuse('http_503')
  const { engine } = rig
  expect(engine.send({ type: 'userText', itemId: 'item_q', text: 'hello' }).is).toBe('applied')
  expect(engine.send({ type: 'respond' }).is).toBe('accepted')
  expect(engine.send({ type: 'note', text: 'A note.' }).is).toBe('applied')
  expect(engine.send({ type: 'native', event: { type: 'conversation.item.delete', item_id: 'x' } })).toEqual({
    is: 'rejected',
    reason: 'engine_trouble',
  })
  rig.history = [{ role: 'user', text: 'hello' }]
  await rig.clock.advance(1_500)
  rig.now.ready()
  expect(rig.now.options.brief.history).toEqual(rig.history)
  expect(rig.now.sent).toEqual([
    { type: 'note', text: 'A note.' },
    { type: 'goOn', after: '' },
  ])
})

it('[E13] drops what waits when the person stops it, and closes between two tries', async () => {
  const rig = new Rig().live()
  asked(rig)
  rig.now.closed('lost', 'ws_1006')
  expect(rig.engine.send({ type: 'cancel' }).is).toBe('accepted')
  rig.now.ready()
  expect(rig.now.sent).toEqual([])
  rig.now.closed('lost', 'ws_1006')
  expect(rig.opened).toHaveLength(2)
  rig.engine.close()
  await Promise.resolve()
  await rig.clock.advance(10_000)
  expect(rig.events.at(-1)).toMatchObject({ type: 'closed', cause: 'asked' })
  expect([rig.opened.length, rig.of('closed').length]).toEqual([2, 1])
})

it('[E14] ends a broken answer in the words of the GA protocol where the client is sent the provider’s own', () => {
  const rig = new Rig([{ capabilities: { dialect: 'openai-realtime-ga' } }]).live()
  asked(rig)
  rig.now.begin()
  rig.now.say('We deliver')
  rig.now.closed('lost', 'ws_1006')
  const wires = rig.events.flatMap(({ wire }) => (wire === undefined ? [] : [JSON.parse(wire.toString())]))
  expect(wires.map(({ type }) => type)).toEqual([
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.done',
  ])
  expect(wires[1]).toMatchObject({ response_id: 'resp_1', item_id: 'item_1', transcript: 'We deliver' })
  expect(wires.at(-1).response).toMatchObject({ id: 'resp_1', status: 'incomplete', output: [{ id: 'item_1' }] })
  const types: EngineEvent['type'][] = ['audioDone', 'agentText', 'native', 'native', 'responseDone']
  expect(rig.types().slice(-5)).toEqual(types)
})

it('[E14] says the holding line in frames of the GA protocol that a strict client understands, and no truncate reaches the provider', async () => {
  const rig = new Rig([{ capabilities: { dialect: 'openai-realtime-ga' } }], { holdingLine }).live()
  asked(rig)
  await rig.clock.advance(4_100)
  const own = rig.events.filter(({ source }) => source === 'local')
  const frames = own.flatMap(({ wire }) => (wire === undefined ? [] : [JSON.parse(wire.toString())]))
  expect(frames).toHaveLength(own.length)
  const deltas = frames.filter(({ type }) => type === 'response.output_audio.delta')
  expect(Buffer.concat(deltas.map(({ delta }) => Buffer.from(delta, 'base64')))).toEqual(line.pcm)
  expect(frames[0]).toMatchObject({ type: 'response.created', response: { status: 'in_progress' } })
  expect(frames.at(-1)).toMatchObject({ type: 'response.done', response: { status: 'completed' } })
  const [{ itemId } = { itemId: '' }] = rig.of('agentItem')
  expect(rig.engine.send({ type: 'truncate', itemId, heardMs: 100 })).toEqual({ is: 'applied' })
  expect(rig.now.of('truncate')).toEqual([])
})

describe('a direct call', () => {
  const direct = (goesOn: boolean) => new Rig([{}, { kind: 'demo' }], { direct: { goesOn } })

  it('[E15] that never began is not replaced: whoever asked for it has another way', () => {
    const rig = direct(true)
    rig.engine.start()
    rig.now.refuse('server_error')
    expect(rig.opened.map(({ capabilities: { media } }) => media)).toEqual(['direct'])
    expect([rig.of('closed'), rig.asked]).toMatchObject([[{ cause: 'refused', code: 'server_error' }], 0])
  })

  it('[E15] that the person hung up ends it, with no engine after it', () => {
    const rig = direct(true).live()
    rig.now.closed('hungUp', 'ws_1000')
    expect([rig.of('closed'), rig.opened.length, rig.asked]).toMatchObject([[{ cause: 'hungUp' }], 1, 0])
  })

  it('[E15] that is lost is replaced by a relayed one where the person can be heard another way, and told to end elsewhere', () => {
    const rig = direct(true).live()
    rig.now.closed('lost', 'silent')
    expect(rig.opened.map(({ capabilities: { media } }) => media)).toEqual(['direct', 'relayed'])
    rig.now.ready()
    expect([rig.of('closed'), rig.asked, rig.engine.capabilities.media]).toEqual([[], 1, 'relayed'])
    const alone = direct(false).live()
    alone.now.closed('expired', 'session_expired')
    expect([alone.of('closed'), alone.opened.length]).toMatchObject([
      [{ cause: 'expired', code: 'session_expired' }],
      1,
    ])
  })

  it('[E15] is not exchanged for the cap of its provider', async () => {
    const rig = new Rig([{ capabilities: { maxDurationMs: 60_000 } }], { direct: { goesOn: true } }).live()
    await rig.clock.advance(70_000)
    expect([rig.opened.length, rig.now.closing]).toEqual([1, false])
  })

  it('[E3] counts as heard what was played by then: words come long before their sound', async () => {
    const rig = direct(true).live()
    rig.engine.send({ type: 'say', text: 'We open at nine and we close at six.' })
    rig.now.begin()
    rig.now.say('We open at nine and we close at six.')
    await rig.clock.advance(900)
    rig.now.closed('lost', 'silent')
    rig.now.ready()
    expect(rig.finals()).toEqual(['We open at nine'])
    expect(rig.now.of('say').map(({ text }) => text)).toEqual(['and we close at six.'])
  })

  it('[E15] is left by whose voice comes here', () => {
    const rig = direct(true).live()
    const first = rig.now
    rig.engine.audio({ pcm: Buffer.alloc(960) })
    expect([first.closing, rig.asked, rig.opened.length]).toEqual([true, 1, 2])
    rig.now.ready()
    expect(rig.now.heard).toHaveLength(1)
  })
})
