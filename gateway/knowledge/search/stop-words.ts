// What both ways of searching take for a word.

/** Words of questions that say nothing about the topic. */
export const stopWords: ReadonlySet<string> = new Set(
  (
    'a an and are as at be been but by can could did do does for from had has have how i if in into is it its just me my ' +
    'of on or our please shall should so some tell than that the their them then there these they this to us was we were ' +
    'what when where which who why will with would you your im ive whats know like want need about any am'
  ).split(' '),
)

/** Plural and possessive endings off, so that "refunds" finds "refund". */
export function stem(word: string): string {
  const bare = word.replace(/['’]s?$/, '').replace(/['’]/g, '')
  if (bare.length > 4 && bare.endsWith('ies')) return `${bare.slice(0, -3)}y`
  if (bare.length > 3 && bare.endsWith('s') && !bare.endsWith('ss')) return bare.slice(0, -1)
  return bare
}
