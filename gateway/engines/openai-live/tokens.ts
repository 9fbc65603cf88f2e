// How many tokens a text has, on the safe side: the provider's limits are in tokens, and its tokenizer is not here.

/** Words of a European language have some four letters a token, numbers at most three digits. */
const charactersPerToken = 3

/** A cautious estimate: a token for each three letters of a word or digits of a number, and for any other character. */
export function tokensOf(text: string): number {
  const runs = text.match(/ ?[A-Za-z]+|\d+|[^A-Za-z\d]/gsu) ?? []
  return runs.reduce((sum, run) => sum + Math.max(1, Math.ceil(run.trim().length / charactersPerToken)), 0)
}

/** The longest beginning of at most that many tokens, whole words where there are any. */
export function clipped(text: string, limit: number): string {
  return piecesOf(text, limit)[0] ?? ''
}

/** Pieces of at most `limit` tokens, cut at white space where there is any. Empty for nothing but white space. */
export function piecesOf(text: string, limit: number): readonly string[] {
  const pieces: string[] = []
  let piece = ''
  for (const word of text.match(/\s*\S+/gu) ?? []) {
    for (const part of shortEnough(word, limit)) {
      if (piece !== '' && tokensOf(piece + part) > limit) {
        pieces.push(piece.trim())
        piece = ''
      }
      piece += part
    }
  }
  if (piece.trim() !== '') pieces.push(piece.trim())
  return pieces
}

function shortEnough(word: string, limit: number): readonly string[] {
  if (tokensOf(word) <= limit) return [word]
  const characters = [...word]
  return Array.from({ length: Math.ceil(characters.length / limit) }, (_, i) =>
    characters.slice(i * limit, (i + 1) * limit).join(''),
  )
}
