/** Two letters that stand for a person: `Ada King Lovelace` → `AL`. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '')
  return ((words[0]?.charAt(0) ?? '') + (words.length > 1 ? (words.at(-1)?.charAt(0) ?? '') : '')).toUpperCase()
}
