// Words of a text, by whitespace.

/** The end of the last word that ends within the first `limit` characters. */
export function wordEnd(text: string, limit: number): number {
  if (limit >= text.length) return text.length
  let end = 0
  for (const word of text.matchAll(/\S+/gu)) {
    const last = word.index + word[0].length
    if (last > limit) break
    end = last
  }
  return end
}
