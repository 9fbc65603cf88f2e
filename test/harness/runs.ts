/** How often a property is tried: `<NAME>` from the environment, for long runs by hand, else a number fit for `npm test`. */
export function runsOf(name: string, normally: number): number {
  const given = Number(process.env[name] ?? '')
  return Number.isSafeInteger(given) && given > 0 ? given : normally
}
