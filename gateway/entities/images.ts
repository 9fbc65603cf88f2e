// Product images were kept in many shapes; they are a plain list of addresses now. Pure.

/** Deeper nesting than any tool ever wrote. */
const maxDepth = 8
const addressFields = ['url', 'src', 'href', 'image', 'images', 'imageUrl', 'photo', 'photos', 'path']

/** Any old shape → addresses in order, without blanks and repeats. Never throws. */
export function imagesOf(shape: unknown): string[] {
  return [...new Set(addresses(shape, 0))]
}

function addresses(shape: unknown, depth: number): string[] {
  if (depth > maxDepth || shape === null || shape === undefined) return []
  if (typeof shape === 'string') return inText(shape.trim(), depth)
  if (Array.isArray(shape)) return shape.flatMap((each) => addresses(each, depth + 1))
  if (typeof shape !== 'object') return []
  const fields = new Map<string, unknown>(Object.entries(shape))
  return addressFields.flatMap((name) => addresses(fields.get(name), depth + 1))
}

function inText(text: string, depth: number): string[] {
  const parsed = text.startsWith('[') || text.startsWith('{') ? parseJson(text) : undefined
  if (parsed !== undefined) return addresses(parsed, depth + 1)
  return splitList(text)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** A comma inside an address (`w_300,h_200`, a data URI) does not part it: what follows must begin an address. */
function splitList(text: string): string[] {
  const absolute = /:\/\/|^\/|^data:/.test(text)
  return text.split(absolute ? /[\s,;]+(?=https?:|data:|\/)|\s*\n\s*/ : /[,;\n]/)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
