// What an answer refers to.

/** One passage that an answer was given. */
export interface Citation {
  /** As the text marks it, `[1]`; unique in one answer. */
  readonly n: number
  /** The text refers to it: `[n]` stands in it. */
  readonly marked: boolean
  readonly sourceId: string | null
  /** Name of the source. */
  readonly source: string
  readonly title: string
  readonly heading?: string
  readonly page?: number
  readonly url?: string
}

/** Of one answer; the tools' lists are longer. */
export const maxCitations = 20
