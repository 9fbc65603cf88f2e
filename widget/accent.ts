// The tenant's one colour, made readable. Pure.

/** `#rrggbb` or `#rgb`; undefined for anything else, so that no other CSS gets in. */
export function parseAccent(text: string): string | undefined {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text)
  if (short !== null)
    return `#${short
      .slice(1)
      .map((digit) => digit + digit)
      .join('')}`.toLowerCase()
  return /^#[0-9a-f]{6}$/i.test(text) ? text.toLowerCase() : undefined
}

/** Text on the accent: whichever of white and near-black has the higher WCAG contrast. */
export function textOn(accent: string): '#ffffff' | '#111318' {
  const light = luminance(accent)
  return 1.05 / (light + 0.05) >= (light + 0.05) / (luminance('#111318') + 0.05) ? '#ffffff' : '#111318'
}

/** WCAG 2 relative luminance of `#rrggbb`, 0 to 1. */
export function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
