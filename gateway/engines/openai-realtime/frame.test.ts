import { expect, it } from 'vitest'
import { modernAudio } from './beta.ts'
import { appendFrame, base64Bytes, scanAudioDelta, WireAudio } from './frame.ts'

const base = { event_id: 'event_1', response_id: 'resp_1', item_id: 'item_1', output_index: 0, content_index: 0 }

function frame(event: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify(event))
}

function delta(pcm: Buffer, type = 'response.output_audio.delta'): Buffer {
  return frame({ type, ...base, delta: pcm.toString('base64') })
}

it('finds ids and length of an audio delta without decoding it', () => {
  for (const bytes of [0, 1, 2, 3, 4_799, 4_800, 4_801]) {
    const wire = delta(Buffer.alloc(bytes, 7))
    const found = scanAudioDelta(wire)
    expect(found).toMatchObject({ responseId: 'resp_1', itemId: 'item_1' })
    expect(base64Bytes(wire, found?.from ?? 0, found?.to ?? 0)).toBe(bytes)
  }
})

it('knows the beta name once it is made new, and touches nothing else', () => {
  const old = modernAudio(delta(Buffer.alloc(480), 'response.audio.delta'))
  expect(scanAudioDelta(old)?.itemId).toBe('item_1')
  expect(old.equals(delta(Buffer.alloc(480)))).toBe(true)
  const other = frame({ type: 'response.audio.done', ...base })
  expect(modernAudio(other)).toBe(other)
})

it('reads the length right when fields follow the audio', () => {
  const wire = frame({ type: 'response.output_audio.delta', ...base, delta: 'AAAA', obfuscation: 'xyz' })
  const found = scanAudioDelta(wire)
  expect(base64Bytes(wire, found?.from ?? 0, found?.to ?? 0)).toBe(3)
})

it('leaves every other shape to the parser', () => {
  const wires = [
    frame({ ...base, type: 'response.output_audio.delta', delta: 'AAAA' }),
    frame({ type: 'response.output_audio.delta', delta: 'AAAA', ...base }),
    Buffer.from('{"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "AAAA"}'),
    Buffer.from('{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"AA\\/A"}'),
    Buffer.from('{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"AAAA'),
    frame({ type: 'response.output_audio.done', ...base }),
    frame({ type: 'response.output_audio_transcript.delta', ...base, delta: 'AAAA' }),
    Buffer.from('{"type":"response.output_audio.delta",'),
    Buffer.alloc(0),
  ]
  expect(wires.map(scanAudioDelta)).toEqual(wires.map(() => undefined))
})

it('keeps the frame as it is and decodes only when samples are asked for', () => {
  const pcm = Buffer.from(Array.from({ length: 4_800 }, (_, i) => i & 0xff))
  const wire = delta(pcm)
  const found = scanAudioDelta(wire)
  if (found === undefined) throw new Error('not found')
  const event = new WireAudio(wire, found, base64Bytes(wire, found.from, found.to))
  expect(event.wire).toBe(wire)
  expect(event.ms).toBe(100)
  expect(event.pcm.equals(pcm)).toBe(true)
})

it('wraps samples into one valid append frame, whatever their length', () => {
  for (const bytes of [0, 1, 2, 3, 960]) {
    const pcm = Buffer.alloc(bytes, 9)
    expect(JSON.parse(appendFrame(pcm).toString())).toEqual({
      type: 'input_audio_buffer.append',
      audio: pcm.toString('base64'),
    })
  }
})
