// A steady colour per tenant, so that nobody acts in the wrong one.

/** Twelve hues, far enough apart to be told from each other at a glance. */
const hueStep = 30

export function tenantHue(slug: string): number {
  let hash = 7
  for (const letter of slug) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 100_003
  return (hash % (360 / hueStep)) * hueStep
}
