// Limits of the protocol are in tokens, and no tokenizer is here. An estimate that never refuses what the original takes:
// a word is a token for each eight letters, a number for each three digits, a letter without spaces around it half of one.

const runs = /[A-Za-zÀ-ɏ]+|\d+|[^\sA-Za-zÀ-ɏ\d]/gu
const lettersPerToken = 8
const digitsPerToken = 3

export function leastTokensOf(text: string): number {
  let tokens = 0
  for (const [run] of text.matchAll(runs)) {
    if (/^\d/.test(run)) tokens += Math.ceil(run.length / digitsPerToken)
    else if (/^[A-Za-zÀ-ɏ]/.test(run)) tokens += Math.ceil(run.length / lettersPerToken)
    else tokens += 0.5
  }
  return Math.ceil(tokens)
}
