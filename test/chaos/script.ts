// What is asked and answered in chaos runs. Every word of an answer tells which question it belongs to and which place it
// has, so that a lost, doubled or misplaced word can be seen in any transcript.

const wordsPerAnswer = 12
const wordsPerSentence = 4

/** `tag` is unique in a run: letters and digits, e.g. `c3q17`. */
export function questionOf(tag: string): string {
  return `Question ${tag}, please.`
}

export function tagOf(text: string): string | undefined {
  return /\bQuestion ([a-z]\d+q\d+), please\./.exec(text)?.[1]
}

/** With their spaces and full stops: joined they are the answer. */
export function answerWords(tag: string): string[] {
  return Array.from({ length: wordsPerAnswer }, (_, at) => {
    const stop = (at + 1) % wordsPerSentence === 0
    return `${at === 0 ? '' : ' '}${tag}w${at + 1}${stop ? '.' : ''}`
  })
}

/** Places (from 1) of the words of `tag` in a text, as they come. */
export function placesIn(text: string, tag: string): number[] {
  return [...text.matchAll(new RegExp(`\\b${tag}w(\\d+)\\b`, 'g'))].map((match) => Number(match[1]))
}

export function isWhole(text: string, tag: string): boolean {
  return placesIn(text, tag).includes(wordsPerAnswer)
}

/** Sentences said whole: of `1 2 3 4 5 3 4 5 6 7 8` these are the first and the second. */
export function sentencesIn(places: readonly number[]): number[] {
  const found: number[] = []
  for (let at = 0; at < places.length; at++) {
    const first = places[at] ?? 0
    if ((first - 1) % wordsPerSentence !== 0) continue
    const whole = Array.from({ length: wordsPerSentence }, (_, i) => first + i)
    if (whole.every((place, i) => places[at + i] === place)) found.push((first - 1) / wordsPerSentence + 1)
  }
  return found
}

export const answerLength = wordsPerAnswer
