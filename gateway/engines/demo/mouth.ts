// Speaks one answer at the pace of a real engine: ahead of real time, but never more than a few seconds, words with sound.

import type { Clock } from '../../platform/clock.ts'
import { bytesPerMs } from '../../protocol/realtime.ts'
import { type Gate, Pacer, type Pacing } from '../pace.ts'
import { alignWords, pronounceable, sentences, soundSpan } from '../sentences.ts'
import type { Voice, VoiceName } from './voice.ts'

const chunkMs = 100
/** Ahead of real time by 400 ms at once, then at 1.8 × real time, until 4 s are in hand. */
const pacing: Pacing = { headStartMs: 400, speed: 1.8, aheadMs: 4_000 }

export interface MouthEvents {
  audio(pcm: Buffer): void
  words(delta: string): void
  /** A piece of the answer was spoken to its end. */
  spoken(characters: number): void
}

export interface MouthNeeds {
  readonly voice: Voice
  readonly clock: Clock
  readonly gate: Gate
  readonly name: VoiceName
}

/** Resolves when all is said or `signal` stopped it. Rejects when the voice fails. */
export async function speak(needs: MouthNeeds, text: string, on: MouthEvents, signal: AbortSignal): Promise<void> {
  const pieces = sentences(text)
  const pacer = new Pacer(needs.clock, needs.gate, pacing)
  let next = prepared(needs, pieces[0])
  for (let i = 0; i < pieces.length && !signal.aborted; i++) {
    const piece = `${i === 0 ? '' : ' '}${pieces[i] ?? ''}`
    const pcm = await next
    // One sentence ahead and no more: memory stays bounded, the voice stays free for others.
    next = prepared(needs, pieces[i + 1])
    if (signal.aborted) break
    await speakPiece({ piece, pcm, pacer }, on, signal)
  }
  await next.catch(ignore)
}

function ignore(): void {}

async function prepared(needs: MouthNeeds, piece: string | undefined): Promise<Buffer> {
  const words = piece === undefined ? '' : pronounceable(piece)
  return words === '' ? Buffer.alloc(0) : needs.voice.speak(needs.name, words)
}

async function speakPiece(
  { piece, pcm, pacer }: { readonly piece: string; readonly pcm: Buffer; readonly pacer: Pacer },
  on: MouthEvents,
  signal: AbortSignal,
): Promise<void> {
  const words = pcm.length === 0 ? [{ text: piece, atMs: 0 }] : alignWords(piece, soundSpan(pcm))
  let said = 0
  const sayUpTo = (endMs: number) => {
    for (; said < words.length && (words[said]?.atMs ?? 0) < endMs; said++) on.words(words[said]?.text ?? '')
  }
  for (let at = 0; at < pcm.length; at += chunkMs * bytesPerMs) {
    const chunk = pcm.subarray(at, at + chunkMs * bytesPerMs)
    await pacer.turn(chunk.length / bytesPerMs, signal)
    if (signal.aborted) return
    sayUpTo((at + chunk.length) / bytesPerMs)
    on.audio(chunk)
  }
  sayUpTo(Number.POSITIVE_INFINITY)
  on.spoken(piece.trim().length)
}
