// What of an answer remains to be said when its beginning was said before, by another engine.

import { sentences } from './sentences.ts'

/**
 * What follows `after` where the answer begins with it, whatever the case and the punctuation. An answer in other words
 * keeps the sentences that were not said yet: it may say a thing again, never a sentence.
 */
export function restOf(answer: string, after: string): string {
  const said = wordsIn(after)
  const words = wordsIn(answer)
  const begins = said.every(
    ({ word }, i) => word === words[i]?.word || isBegun(word, words[i]?.word, i === said.length - 1),
  )
  if (!begins) return unsaid(answer, said)
  const last = words[said.length - 1]
  if (last === undefined) return answer
  return answer.slice(last.word === said.at(-1)?.word ? last.end : last.from).trim()
}

interface Word {
  readonly word: string
  readonly from: number
  readonly end: number
}

function wordsIn(text: string): readonly Word[] {
  return [...text.matchAll(/\S+/gu)].flatMap((found) => {
    const word = found[0].toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
    return word === '' ? [] : [{ word, from: found.index, end: found.index + found[0].length }]
  })
}

/** The voice may have been cut in the middle of its last word. */
function isBegun(word: string, whole: string | undefined, last: boolean): boolean {
  return last && whole?.startsWith(word) === true
}

function unsaid(answer: string, said: readonly Word[]): string {
  const before = ` ${said.map(({ word }) => word).join(' ')} `
  const isNew = (sentence: string) => {
    const words = wordsIn(sentence)
    return words.length > 0 && !before.includes(` ${words.map(({ word }) => word).join(' ')} `)
  }
  return sentences(answer).filter(isNew).join(' ')
}
