// Credits as people type them, exactly: micro-credits are integers and may not pass through a float.

const shape = /^(\d{1,9})(?:[.,](\d{1,6}))?$/

/** `12.5` → 12_500_000; undefined for anything that is not an amount of at most six decimals. */
export function parseCredits(text: string): number | undefined {
  const match = shape.exec(text.trim())
  if (match === null) return undefined
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? '').padEnd(6, '0'))
}

/** 12_500_000 → `12.5`. */
export function creditText(micro: number): string {
  const whole = Math.floor(micro / 1_000_000)
  const rest = String(micro % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return rest === '' ? String(whole) : `${whole}.${rest}`
}
