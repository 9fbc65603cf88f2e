// What every engine owes to a session, whatever stands behind it. Each adapter runs these same tests.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine, EngineBrief, EngineEvent, EngineFactory, EngineTool } from '../../gateway/engines/engines.ts'
import { pieces, silencePcm, speechPcm } from '../harness/speech.ts'

export interface EngineRig {
  readonly factory: EngineFactory
  /** Opens engines that cannot get ready. */
  readonly refusing: EngineFactory
  /** Asked in writing, answered with this. */
  readonly question: { readonly text: string; readonly answer: RegExp }
  /** Its answer lasts several seconds and is not sent in one burst. */
  readonly longQuestion: string
  readonly toolQuestion: {
    readonly text: string
    readonly tool: EngineTool
    readonly arguments: Readonly<Record<string, unknown>>
    readonly output: string
    readonly answer: RegExp
  }
  /** What the engine refuses for good, with its reason: the case becomes that refusal. */
  readonly cannot?: { readonly manualTurns?: string }
  close(): Promise<void>
}

type Of<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>

/** An engine under test with everything it said. */
export class Watched {
  readonly events: EngineEvent[] = []
  readonly engine: Engine
  #wake: () => void = () => {}

  constructor(factory: EngineFactory, brief: Partial<EngineBrief> = {}) {
    this.engine = factory.open({
      tenantId: 'ten_1',
      sessionId: 'sess_1',
      brief: {
        instructions: 'You help people in a shop.',
        voice: 'marin',
        language: 'en',
        model: '',
        tools: [],
        outputModality: 'audio',
        turnDetection: 'server_vad',
        history: [],
        ...brief,
      },
      onEvent: (event) => {
        this.events.push(event)
        this.#wake()
      },
    })
  }

  of<T extends EngineEvent['type']>(type: T): Of<T>[] {
    return this.events.filter((event): event is Of<T> => event.type === type)
  }

  /** Waits for the n-th event of a type. */
  async until<T extends EngineEvent['type']>(type: T, count = 1): Promise<Of<T>> {
    const deadline = performance.now() + 15_000
    for (;;) {
      const found = this.of(type)[count - 1]
      if (found !== undefined) return found
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`No ${type} number ${count} among ${this.events.map((e) => e.type).join(' ')}`)
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(Math.min(left, 200))])
    }
  }

  ask(text: string, itemId = `item_${this.events.length}`): void {
    this.engine.send({ type: 'userText', itemId, text })
    this.engine.send({ type: 'respond' })
  }

  async speak(text: string): Promise<void> {
    for (const piece of pieces(await speechPcm(text))) this.engine.audio({ pcm: piece })
  }

  silence(ms: number): void {
    for (const piece of pieces(silencePcm(ms))) this.engine.audio({ pcm: piece })
  }

  said(responseId: string): string {
    const finals = this.of('agentText').filter((event) => event.responseId === responseId && event.final !== undefined)
    return finals.map((event) => event.final).join(' ')
  }

  types(): string[] {
    return this.events.map((event) => event.type)
  }
}

export function engineContract(name: string, build: () => Promise<EngineRig>): void {
  describe(`the ${name} engine`, () => {
    let rig: EngineRig
    const watched: Watched[] = []

    const open = (brief: Partial<EngineBrief> = {}, factory: EngineFactory = rig.factory) => {
      const one = new Watched(factory, brief)
      watched.push(one)
      one.engine.start()
      return one
    }

    beforeEach(async () => {
      rig = await build()
    })
    afterEach(async () => {
      for (const one of watched.splice(0)) one.engine.close()
      await rig.close()
    })

    it('gets ready exactly once and names its session', async () => {
      const one = open()
      const ready = await one.until('ready')
      await sleep(20)
      expect(one.of('ready')).toHaveLength(1)
      expect(one.events[0]).toBe(ready)
      expect(ready.engineSessionId).not.toBe('')
      expect(ready.model).not.toBe('')
    })

    it('says nothing out of start() or send() itself: events come later', async () => {
      const one = open()
      expect(one.events).toEqual([])
      await one.until('ready')
      const before = one.events.length
      one.ask(rig.question.text)
      expect(one.events.length).toBe(before)
    })

    it('answers a written question with sound and its words, in order', async () => {
      const one = open()
      one.ask(rig.question.text, 'item_question')
      const done = await one.until('responseDone')
      expect(done.status).toBe('completed')
      expect(one.said(done.responseId)).toMatch(rig.question.answer)
      expect(await one.until('userItem')).toMatchObject({ itemId: 'item_question', spoken: false })
      const types = one.types()
      const inOrder = ['ready', 'responseStarted', 'agentItem', 'audio', 'audioDone', 'responseDone']
      const positions = inOrder.map((type) => types.indexOf(type as EngineEvent['type']))
      expect(positions).toEqual([...positions].sort((a, b) => a - b))
      expect(positions).not.toContain(-1)
    })

    it('tells the length of every stretch of audio, and the samples agree', async () => {
      const one = open()
      one.ask(rig.question.text)
      await one.until('responseDone')
      const audio = one.of('audio')
      expect(audio.length).toBeGreaterThan(3)
      for (const event of audio) expect((event.pcm?.length ?? 0) / 48).toBe(event.ms)
      expect(new Set(audio.map((event) => event.itemId))).toEqual(new Set([one.of('agentItem')[0]?.itemId]))
    })

    it('repeats in `final` exactly what its deltas said', async () => {
      const one = open()
      one.ask(rig.question.text)
      const { responseId } = await one.until('responseDone')
      const deltas = one.of('agentText').map((event) => event.delta ?? '')
      expect(deltas.join('')).toBe(one.said(responseId))
      expect(one.of('agentText').every((event) => event.spoken)).toBe(true)
    })

    it('answers in writing when the brief asks for text', async () => {
      const one = open({ outputModality: 'text' })
      one.ask(rig.question.text)
      const { responseId } = await one.until('responseDone')
      expect(one.said(responseId)).toMatch(rig.question.answer)
      expect(one.of('audio')).toEqual([])
      expect(one.of('agentText').some((event) => event.spoken)).toBe(false)
    })

    it('does not lose what is sent before it is ready', async () => {
      const one = new Watched(rig.factory)
      watched.push(one)
      one.engine.send({ type: 'say', text: 'Welcome to the shop.' })
      one.engine.start()
      const { responseId } = await one.until('responseDone')
      expect(one.said(responseId)).toBe('Welcome to the shop.')
    })

    it('gives two answers one after the other when both are asked for at once', async () => {
      const one = open()
      one.engine.send({ type: 'say', text: 'First sentence.' })
      one.engine.send({ type: 'say', text: 'Second sentence.' })
      const second = await one.until('responseDone', 2)
      const first = await one.until('responseDone', 1)
      expect([one.said(first.responseId), one.said(second.responseId)]).toEqual(['First sentence.', 'Second sentence.'])
      expect(one.of('error')).toEqual([])
    })

    it('goes on with an answer that broke off, after the words that were said', async () => {
      const { text, answer } = rig.question
      const first = open()
      first.ask(text)
      const whole = first.said((await first.until('responseDone')).responseId)
      const after = whole.split(' ').slice(0, 3).join(' ')
      const history = [
        { role: 'user', text },
        { role: 'agent', text: after },
      ] as const
      const one = open({ history })
      expect(one.engine.send({ type: 'goOn', after }).is).toMatch(/applied|accepted/)
      const { responseId, status } = await one.until('responseDone')
      expect(status).toBe('completed')
      expect(whole).toMatch(answer)
      expect(`${after} ${one.said(responseId)}`).toBe(whole)
      expect(one.events.filter((event) => event.wire?.includes('Heard so far'))).toEqual([])
    })

    it('says nothing more of an answer that was said to its end', async () => {
      const { text } = rig.question
      const first = open()
      first.ask(text)
      const whole = first.said((await first.until('responseDone')).responseId)
      const one = open({ history: [{ role: 'user', text }] })
      one.engine.send({ type: 'goOn', after: whole })
      await one.until('responseDone')
      expect([one.of('audio'), one.of('agentText')]).toEqual([[], []])
    })

    it('answers what was asked last of another engine when nothing of it was said', async () => {
      const one = open({ history: [{ role: 'user', text: rig.question.text }] })
      one.engine.send({ type: 'goOn', after: '' })
      const { responseId } = await one.until('responseDone')
      expect(one.said(responseId)).toMatch(rig.question.answer)
    })

    it('answers from the result of a call that another engine made', async () => {
      const { text, tool, output, answer } = rig.toolQuestion
      const one = open({ tools: [tool], history: [{ role: 'user', text }] })
      await one.until('ready')
      const result = { type: 'toolResult', callId: 'call_of_another', foreign: tool.name, output } as const
      expect(one.engine.send(result).is).toMatch(/applied|accepted/)
      one.engine.send({ type: 'respond' })
      const { responseId } = await one.until('responseDone')
      expect(one.said(responseId)).toMatch(answer)
      expect(one.of('toolCall')).toEqual([])
      expect(one.events.filter((event) => event.wire?.includes(output.slice(0, 20)))).toEqual([])
    })

    it('hears speech begin and end, makes one item of it, and answers', async () => {
      const one = open()
      await one.until('ready')
      one.silence(300)
      await one.speak('Do you have a red sofa?')
      one.silence(900)
      const start = await one.until('userSpeech', 1)
      const stop = await one.until('userSpeech', 2)
      const item = await one.until('userItem')
      const words = await one.until('userText')
      await one.until('responseDone')
      expect([start.phase, stop.phase]).toEqual(['start', 'stop'])
      expect(stop.atMs).toBeGreaterThan(start.atMs + 600)
      expect(item).toMatchObject({ itemId: start.itemId, spoken: true })
      expect([stop.itemId, words.itemId]).toEqual([start.itemId, start.itemId])
      expect(start.interrupts).toBe(false)
    })

    it('takes whole append frames as it takes samples', async () => {
      const one = open()
      await one.until('ready')
      for (const piece of [...pieces(await speechPcm('Good morning to you.')), ...pieces(silencePcm(900))]) {
        const frame = { type: 'input_audio_buffer.append', audio: piece.toString('base64') }
        one.engine.audio({ appendFrame: Buffer.from(JSON.stringify(frame)) })
      }
      expect((await one.until('userSpeech', 2)).phase).toBe('stop')
      expect(one.of('error')).toEqual([])
    })

    it('stops its answer when the person begins to speak', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      const { responseId } = await one.until('audio')
      await one.speak('Wait, stop please.')
      const start = await one.until('userSpeech')
      const done = await one.until('responseDone')
      expect(start).toMatchObject({ phase: 'start', interrupts: true })
      expect(done).toMatchObject({ responseId, status: 'cancelled', reason: 'turn_detected' })
      const after = one.events.slice(one.events.indexOf(done) + 1)
      expect(after.some((event) => event.type === 'audio' && event.responseId === responseId)).toBe(false)
      expect(one.events.indexOf(start)).toBeLessThan(one.events.indexOf(done))
    })

    it('does not listen for turns when turn detection is off, and commits on demand', async () => {
      const one = open({ turnDetection: 'none' })
      await one.until('ready')
      const reason = rig.cannot?.manualTurns
      if (reason !== undefined) {
        expect(one.engine.send({ type: 'commitAudio' })).toEqual({ is: 'unsupported', reason })
        expect(one.engine.send({ type: 'clearAudio' })).toEqual({ is: 'unsupported', reason })
        return
      }
      await one.speak('Do you have a red sofa?')
      one.silence(900)
      one.engine.send({ type: 'commitAudio' })
      expect(await one.until('userItem')).toMatchObject({ spoken: true })
      expect(one.of('userSpeech')).toEqual([])
      expect(one.of('responseStarted')).toEqual([])
    })

    it('calls a tool once, and answers from its result when asked to go on', async () => {
      const { text, tool, output, answer } = rig.toolQuestion
      const one = open({ tools: [tool] })
      one.ask(text)
      const call = await one.until('toolCall')
      await one.until('responseDone')
      expect(call.name).toBe(tool.name)
      expect(JSON.parse(call.arguments)).toMatchObject(rig.toolQuestion.arguments)
      expect(one.engine.send({ type: 'toolResult', callId: call.callId, output }).is).toMatch(/applied|accepted/)
      one.engine.send({ type: 'respond' })
      const done = await one.until('responseDone', 2)
      expect(one.said(done.responseId)).toMatch(answer)
      expect(one.of('toolCall')).toHaveLength(1)
    })

    it('stops when told to, and says who stopped it', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      const { responseId } = await one.until('audio')
      const before = one.of('audio').length
      expect(one.engine.send({ type: 'cancel' }).is).toBe('accepted')
      const done = await one.until('responseDone')
      // What was on its way may still come, the rest of the answer not.
      expect(one.of('audio').length - before).toBeLessThan(5)
      expect(done).toMatchObject({ responseId, status: 'cancelled', reason: 'client_cancelled' })
    })

    it('answers again after it was stopped', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      await one.until('audio')
      one.engine.send({ type: 'cancel' })
      await one.until('responseDone')
      one.ask(rig.question.text)
      const done = await one.until('responseDone', 2)
      expect(one.said(done.responseId)).toMatch(rig.question.answer)
    })

    it('truncates to what was produced at most, and sends nothing more of that item', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      const { itemId } = await one.until('audio')
      await one.until('audio', 3)
      const producedMs = one.of('audio').reduce((sum, event) => sum + event.ms, 0)
      one.engine.send({ type: 'cancel' })
      one.engine.send({ type: 'truncate', itemId, heardMs: 9_999_999 })
      const count = one.of('audio').length
      const truncated = await one.until('truncated')
      await one.until('responseDone')
      expect(truncated.itemId).toBe(itemId)
      expect(truncated.heardMs).toBe(Math.floor(producedMs))
      expect(one.of('audio')).toHaveLength(count)
      expect(one.of('error').filter((error) => !error.benign)).toEqual([])
    })

    it('sends nothing more of an item that was truncated, even while its answer goes on', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      const { itemId } = await one.until('audio')
      one.engine.send({ type: 'truncate', itemId, heardMs: 50 })
      const count = one.of('audio').length
      expect(await one.until('truncated')).toMatchObject({ itemId, heardMs: 50 })
      await sleep(400)
      expect(one.of('audio')).toHaveLength(count)
    })

    it('does not trouble the provider when nothing of an item was heard', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      const { itemId } = await one.until('agentItem')
      one.engine.send({ type: 'cancel' })
      expect(one.engine.send({ type: 'truncate', itemId, heardMs: 0 }).is).toBe('applied')
      await one.until('responseDone')
      await sleep(20)
      expect(one.of('truncated')).toEqual([])
      expect(one.of('error')).toEqual([])
    })

    it('reports usage that only grows', async () => {
      const one = open()
      for (const n of [1, 2, 3]) {
        one.ask(rig.question.text, `item_${n}`)
        await one.until('responseDone', n)
      }
      const totals = one.of('usage').map((event) => new Map<string, number>(Object.entries(event.meters)))
      expect(totals.length).toBeGreaterThanOrEqual(3)
      for (const [i, total] of totals.entries()) {
        for (const [meter, amount] of totals[i - 1] ?? []) expect(total.get(meter)).toBeGreaterThanOrEqual(amount)
      }
      expect(totals.at(-1)).not.toEqual(totals[0])
    })

    it('keeps a note to itself', async () => {
      const one = open()
      await one.until('ready')
      expect(one.engine.send({ type: 'note', text: 'The person is on the page about sofas.' }).is).toMatch(/app|acc/)
      await sleep(50)
      expect(one.types().filter((type) => type === 'responseStarted' || type === 'userItem')).toEqual([])
      expect(one.events.filter((event) => event.wire?.includes('page about sofas'))).toEqual([])
    })

    it('holds back while the client is slow and goes on without a gap', async () => {
      const one = open()
      one.engine.send({
        type: 'say',
        text: 'One two three four five six seven eight nine ten. Eleven twelve thirteen.',
      })
      await one.until('audio')
      one.engine.pause()
      await sleep(150)
      const held = one.of('audio').length
      await sleep(300)
      expect(one.of('audio')).toHaveLength(held)
      one.engine.resume()
      const { responseId } = await one.until('responseDone')
      expect(one.of('audio').length).toBeGreaterThan(held)
      expect(one.said(responseId)).toContain('thirteen')
    })

    it('can be stopped while it is held back', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      await one.until('audio')
      one.engine.pause()
      one.engine.close()
      expect(await one.until('closed')).toMatchObject({ cause: 'asked' })
    })

    it('closes exactly once, last of all, however often it is asked', async () => {
      const one = open()
      one.ask(rig.longQuestion)
      await one.until('audio')
      one.engine.close()
      one.engine.close()
      expect(await one.until('closed')).toMatchObject({ cause: 'asked' })
      one.engine.close()
      await sleep(100)
      expect(one.of('closed')).toHaveLength(1)
      expect(one.events.at(-1)?.type).toBe('closed')
    })

    it('closes before it was ever started or ready', async () => {
      const one = new Watched(rig.factory)
      one.engine.start()
      one.engine.close()
      await one.until('closed')
      await sleep(50)
      expect(one.types()).toEqual(['closed'])
    })

    it('takes nothing after it closed', async () => {
      const one = open()
      await one.until('ready')
      one.engine.close()
      await one.until('closed')
      const answers = [
        one.engine.send({ type: 'userText', itemId: 'item_late', text: 'hello' }),
        one.engine.send({ type: 'respond' }),
        one.engine.send({ type: 'cancel' }),
      ]
      one.engine.audio({ pcm: silencePcm(100) })
      one.engine.pause()
      one.engine.resume()
      expect(answers).toEqual(answers.map(() => ({ is: 'rejected', reason: 'closed' })))
      await sleep(20)
      expect(one.events.at(-1)?.type).toBe('closed')
    })

    it('tells that it was refused, once, and was never ready', async () => {
      const one = open({}, rig.refusing)
      const closed = await one.until('closed')
      await sleep(20)
      expect(closed).toMatchObject({ cause: 'refused' })
      expect(closed.code).not.toBe('')
      expect(one.of('ready')).toEqual([])
      expect(one.of('closed')).toHaveLength(1)
    })
  })
}
