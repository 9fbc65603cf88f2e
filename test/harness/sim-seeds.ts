// How many seeds the simulation runs here: SIM_SEEDS, or what the test asks for.

export function simSeeds(usual: number): number {
  const given = Number(process.env.SIM_SEEDS ?? usual)
  if (!Number.isSafeInteger(given) || given < 1) throw new Error('SIM_SEEDS is a whole number above zero')
  return given
}
