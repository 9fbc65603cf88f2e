import fc from 'fast-check'
import { expect, it } from 'vitest'
import { failureOf, PartFailure, statusFailure, streamFailure } from '../text/failure.ts'
import type { Message } from '../text/model.ts'
import { eventData } from '../text/sse.ts'
import { Conversation, Said } from './conversation.ts'
import { looksUnfinished } from './hearing.ts'
import { type Ask, promptOf } from './prompt.ts'
import { SentenceStream, speakable } from './sentence-stream.ts'

function stream(...deltas: readonly string[]): string[] {
  const sentences = new SentenceStream()
  return [...deltas.flatMap((delta) => [...sentences.push(delta)]), ...sentences.end()]
}

it('gives a sentence as soon as the next one begins', () => {
  const sentences = new SentenceStream()
  expect(sentences.push('Hello there')).toEqual([])
  expect(sentences.push('. ')).toEqual([])
  expect(sentences.push('How')).toEqual(['Hello there.'])
  expect(sentences.push(' are you? Fine')).toEqual(['How are you?'])
  expect(sentences.end()).toEqual(['Fine'])
})

it('is not fooled by points that end nothing', () => {
  expect(stream('Dr. Smith is at 3.5 km, e.g. at St. Mark. ', 'Bye')).toEqual([
    'Dr. Smith is at 3.5 km, e.g. at St. Mark.',
    'Bye',
  ])
  expect(stream('Das ist am 3. Mai, z. B. um neun. Gut.')).toEqual(['Das ist am 3. Mai, z. B. um neun.', 'Gut.'])
  expect(stream('It costs 3.', '50 euros. Really.')).toEqual(['It costs 3.50 euros.', 'Really.'])
})

it('begins to say a long first sentence before its end, and only that one', () => {
  const long = 'If you come by before the weekend, we can show you all of them, and then'
  expect(new SentenceStream().push(long)).toEqual(['If you come by before the weekend, we can show you all of them,'])
  const shop = `${long} decide in peace. Fine.`
  expect(stream(...(shop.match(/.{1,5}/g) ?? [])).join(' ')).toBe(shop)
  const sentences = new SentenceStream()
  sentences.push('Yes. No')
  expect(sentences.push(` ${long}`)).toEqual([])
})

it('loses no character but white space, however the text is cut', () => {
  const text = fc.array(
    fc.constantFrom('a', 'Bc', 'Dr.', '3.', '.', '!', '?', ' ', ', ', '\n', '。', 'é', '🙂', 'word ', '"'),
    { maxLength: 120 },
  )
  fc.assert(
    fc.property(text, (parts) => {
      expect(
        stream(...parts)
          .join('')
          .replace(/\s/g, ''),
      ).toBe(parts.join('').replace(/\s/g, ''))
    }),
  )
})

it('says no marks, no addresses of links and no pictures', () => {
  expect(speakable('**Look** at [our shop](https://x.example/a?b) 🙂 now')).toBe('Look at our shop now')
  expect(speakable('- # `x`')).toBe('# x')
  expect(['🙂', '---', '', '**'].map(speakable)).toEqual(['', '', '', ''])
})

it('hears when a sentence is not over', () => {
  expect(['I want a', 'and', 'so,', 'well …', 'ich möchte einen Tisch und'].map(looksUnfinished)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ])
  expect(['I want a sofa.', 'Yes', 'Is it red?', 'The band', ''].map(looksUnfinished)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ])
})

async function events(bytes: readonly Uint8Array[]): Promise<string[]> {
  const out: string[] = []
  for await (const data of eventData(ReadableStream.from(bytes))) out.push(data)
  return out
}

it('reads events whatever the pieces they come in, comments and all kinds of line ends', async () => {
  const text =
    ': hi\r\n\r\ndata: {"a":"ä🙂"}\r\n\r\nevent: x\nid: 1\ndata:two\r\ndata: lines\n\nretry: 5\n\ndata: [DONE]\r\rdata: last'
  const wanted = ['{"a":"ä🙂"}', 'two\nlines', '[DONE]', 'last']
  const whole = Buffer.from(text)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: whole.length - 1 }), { maxLength: 12 }), async (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
      expect(await events(at.slice(1).map((end, i) => whole.subarray(at[i], end)))).toEqual(wanted)
    }),
  )
  await expect(events([Buffer.from('data: '), Buffer.alloc(1024 * 1024 + 1, 0x61)])).rejects.toMatchObject({
    code: 'malformed',
  })
})

it('gives every error a code of ours and none of the provider’s words', () => {
  fc.assert(
    fc.property(fc.anything(), (thrown) => {
      const failures = [
        failureOf(thrown),
        streamFailure(thrown),
        streamFailure({ error: thrown }),
        statusFailure(400, JSON.stringify({ error: thrown }) ?? '', 'soon'),
      ]
      for (const failure of failures) {
        expect(failure).toBeInstanceOf(PartFailure)
        expect(failure.code).toMatch(/^[a-z][a-z0-9_.]{1,63}$/)
      }
    }),
  )
  expect(
    failureOf(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })).code,
  ).toBe('unreachable')
  expect(statusFailure(429, '{"error":{"type":"insufficient_quota"}}', null).code).toBe('insufficient_quota')
  expect(statusFailure(503, '', '4').retryAfterMs).toBe(4_000)
})

const ask: Ask = {
  instructions: 'Sell.',
  tools: [{ name: 'known', description: '', parameters: {} }],
  toolChoice: 'auto',
  spoken: true,
  language: 'en',
  after: '',
}

/** What the strictest provider wants of a prompt. */
function isTakenEverywhere(messages: readonly Message[]): boolean {
  const alternates = messages.every((message, i) => {
    const before = messages[i - 1]
    return message.role === 'call' || before === undefined || before.role !== message.role
  })
  return (
    messages[0]?.role === 'user' &&
    messages.at(-1)?.role !== 'agent' &&
    alternates &&
    messages.every((each) => (each.role === 'call' ? typeof each.output === 'string' : each.text !== ''))
  )
}

it('every conversation is a prompt that every provider takes, with each output once', () => {
  const step = fc.oneof(
    fc.string({ maxLength: 5 }).map((text) => ({ is: 'user' as const, text })),
    fc.record({
      is: fc.constant('agent' as const),
      text: fc.string({ maxLength: 12 }),
      heardMs: fc.option(fc.nat({ max: 1_000 })),
    }),
    fc.record({ is: fc.constant('call' as const), name: fc.constantFrom('known', 'gone') }),
    fc.record({ is: fc.constant('result' as const), of: fc.nat({ max: 3 }) }),
    fc.constant({ is: 'note' as const }),
  )
  const history = fc.array(
    fc.record({ role: fc.constantFrom('user' as const, 'agent' as const), text: fc.string({ maxLength: 5 }) }),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(history, fc.array(step, { maxLength: 14 }), fc.boolean(), (before, steps, goesOn) => {
      const conversation = new Conversation(before)
      const calls: string[] = []
      const results = new Set<string>()
      for (const [i, each] of steps.entries()) {
        if (each.is === 'user') conversation.user(each.text)
        else if (each.is === 'agent') {
          const said = new Said(`i${i}`)
          conversation.agent(said)
          said.sound(1_000, 0)
          said.words(each.text)
          if (each.heardMs !== null) said.truncate(each.heardMs)
        } else if (each.is === 'call') {
          calls.push(`c${i}`)
          conversation.call({ callId: `c${i}`, name: each.name, arguments: '{}' })
        } else if (each.is === 'result') {
          const callId = calls[each.of]
          if (callId === undefined) continue
          expect(conversation.result(callId, `result of ${callId}.`)).toBe(!results.has(callId))
          results.add(callId)
        } else conversation.note('a note')
      }
      const { system, messages } = promptOf(conversation, { ...ask, after: goesOn ? 'so far' : '' })
      expect(isTakenEverywhere(messages)).toBe(true)
      const shown = JSON.stringify(messages)
      for (const callId of calls)
        expect(shown.split(`result of ${callId}.`).length - 1).toBe(results.has(callId) ? 1 : 0)
      expect(system.includes('Heard so far: "so far"')).toBe(goesOn)
    }),
  )
})

it('forgets the oldest beyond its size, never a tool that is still working', () => {
  const conversation = new Conversation([])
  conversation.user('first')
  conversation.call({ callId: 'c', name: 'known', arguments: '{}' })
  for (let i = 0; i < 30; i++) conversation.user('x'.repeat(4_000))
  expect(conversation.result('c', 'late')).toBe(true)
  const text = JSON.stringify(conversation.messages(new Set(['known'])))
  expect(text.length).toBeLessThan(60_000)
  expect(text).toContain('late')
  expect(text).not.toContain('first')
})

it('cuts an answer at the word that was played to its end', () => {
  const said = new Said('i')
  for (const word of ['One', ' two', ' three', ' four']) {
    said.words(word)
    said.sound(500, 0)
  }
  const heard = (ms: number) => {
    said.truncate(ms)
    return said.heard
  }
  expect([0, 400, 1_000, 1_600, 2_000, 9_999].map(heard)).toEqual([
    '',
    '',
    'One two',
    'One two three',
    'One two three four',
    'One two three four',
  ])
})

it('believes the player over the clock', () => {
  const said = new Said('i')
  said.words('One two')
  said.sound(2_000, 0)
  said.cut(500)
  expect(said.heard).not.toBe('One two')
  said.truncate(2_000)
  said.cut(100)
  expect(said.heard).toBe('One two')
})
