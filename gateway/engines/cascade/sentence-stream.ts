// Sentences out of a text that is still being written: each as soon as it is known to be over.

import { sentences } from '../sentences.ts'

/** A point that ends no sentence: titles, initials, ordinals, and what is short for something. */
const notAnEnd =
  /(?:^|[\s(])(?:\p{L}|\d{1,2}|Dr|Mr|Mrs|Ms|Prof|St|No|Nr|Str|vs|ca|bzw|etc|e\.g|i\.e|z\.\s?B|d\.\s?h|u\.\s?a)\.$/iu
/** Of a first sentence this long its beginning is said while the rest is being written. */
const longStart = 60
/** A beginning shorter than this sounds chopped. */
const shortest = 25

export class SentenceStream {
  #rest = ''
  #begun = false

  /** What became complete with it, in order, without the white space around it. */
  push(delta: string): readonly string[] {
    this.#rest += delta
    const ready = this.#whole()
    const start = this.#begun || ready.length > 0 ? undefined : this.#start()
    const out = start === undefined ? ready : [start]
    this.#begun ||= out.length > 0
    return out
  }

  /** The text is over: what was left of it. */
  end(): readonly string[] {
    const out = sentences(this.#rest)
    this.#rest = ''
    return out
  }

  #whole(): readonly string[] {
    // The last one may go on.
    const found = sentences(this.#rest).slice(0, -1)
    const out: string[] = []
    let at = 0
    let from = 0
    for (const sentence of found) {
      const start = this.#rest.indexOf(sentence, at)
      at = start + sentence.length
      const whole = this.#rest.slice(from, at).trim()
      if (notAnEnd.test(whole)) continue
      out.push(whole)
      from = at
    }
    this.#rest = this.#rest.slice(from)
    return out
  }

  #start(): string | undefined {
    if (this.#rest.length < longStart) return undefined
    const ends = [...this.#rest.matchAll(/[,;:–—](?=\s)|[，、；：]/gu)].map(({ index }) => index + 1)
    const at = ends.findLast((end) => end >= shortest)
    if (at === undefined) return undefined
    const start = this.#rest.slice(0, at).trim()
    this.#rest = this.#rest.slice(at)
    return start
  }
}

/** Without what a voice would read out: marks of emphasis, headings, code, and pictures. Empty: nothing to say. */
export function speakable(sentence: string): string {
  const plain = sentence
    .replace(/\[([^\]]+)\]\([^)\s]+\)/g, '$1')
    .replace(/[*_`~]{1,3}|^\s*(?:#{1,6}|[-•>])\s+/g, '')
    .replace(/\p{Extended_Pictographic}\uFE0F?/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
  return /[\p{L}\p{N}]/u.test(plain) ? plain : ''
}
