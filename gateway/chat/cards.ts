// Lists that tools gave, as something to be shown: what a client can draw without knowing the tool. Pure.

import { z } from 'zod'

export interface Card {
  readonly title: string
  readonly text?: string
  readonly url?: string
  readonly imageUrl?: string
  /** As the tool gave it, in the tenant's own currency. */
  readonly price?: number
}

/** Of a list that is longer the rest is in the words. */
const mostCards = 12
const shown = z.string().trim().min(1).max(300)
const link = z.url({ protocol: /^https?$/ }).max(2_000)
const optional = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined)
const item = z.object({
  title: optional(shown),
  name: optional(shown),
  description: optional(z.string().trim().min(1)),
  bio: optional(z.string().trim().min(1)),
  url: optional(link),
  image: optional(link),
  imageUrl: optional(link),
  images: optional(z.array(link)),
  price: optional(z.number()),
})
const output = z.object({ items: z.array(z.unknown()) })
const textChars = 300

/** Empty where the output is no list of things with a name. */
export function cardsOf(text: string): readonly Card[] {
  const read = output.safeParse(json(text))
  if (!read.success) return []
  return read.data.items.slice(0, mostCards).flatMap((each) => {
    const { data } = item.safeParse(each)
    const title = data?.title ?? data?.name
    if (data === undefined || title === undefined) return []
    const about = (data.description ?? data.bio)?.slice(0, textChars)
    const imageUrl = data.imageUrl ?? data.image ?? data.images?.[0]
    return [
      {
        title,
        ...(about === undefined ? {} : { text: about }),
        ...(data.url === undefined ? {} : { url: data.url }),
        ...(imageUrl === undefined ? {} : { imageUrl }),
        ...(data.price === undefined ? {} : { price: data.price }),
      },
    ]
  })
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
