// Names for addresses: lower-case letters, digits and inner hyphens, 50 at most. Pure.

export const maxSlugChars = 50
export const slugPattern = /^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$/

/** Of a name people gave: `Müller & Söhne AG` → `muller-sohne-ag`. A name without a Latin letter or digit gives `fallback`. */
export function slugOf(name: string, fallback: string): string {
  return cut(
    name
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .replaceAll('ß', 'ss')
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+/, ''),
    maxSlugChars,
    fallback,
  )
}

/** The slug for the nth that wants it: `shop`, `shop-2`, `shop-3`; cut so that the suffix fits. */
export function numberedSlug(slug: string, nth: number): string {
  if (nth <= 1) return slug
  const suffix = `-${nth}`
  return cut(slug, maxSlugChars - suffix.length, slug) + suffix
}

function cut(text: string, chars: number, fallback: string): string {
  return text.slice(0, chars).replace(/-+$/, '') || fallback
}
