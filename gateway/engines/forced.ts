// Whether the engine that the configuration forces on every agent can serve. Pure.

/** A forced engine that cannot serve would leave every agent without one. */
export function forcedProblems(given: Readonly<Record<string, string | undefined>>): readonly string[] {
  const { PARLEY_ENGINE: kind, OPENAI_API_KEY: key, OPENAI_BASE_URL: base, OPENAI_LIVE_BASE_URL: liveBase } = given
  // A local server of the same protocol needs no key.
  const isLocal = (address: string | undefined) => address !== undefined && !/openai\.(com|azure\.com)/.test(address)
  if (kind === 'openai-realtime' && key === undefined && !isLocal(base))
    return [`PARLEY_ENGINE=${kind}: needs OPENAI_API_KEY`]
  if (kind === 'gemini-live') {
    const isRelayed = given.GEMINI_BASE_URL !== undefined && !/googleapis\.com/.test(given.GEMINI_BASE_URL)
    return given.GEMINI_API_KEY === undefined && !isRelayed ? [`PARLEY_ENGINE=${kind}: needs GEMINI_API_KEY`] : []
  }
  if (kind === 'cascade') return given.CASCADE_LLM === undefined ? [`PARLEY_ENGINE=${kind}: needs CASCADE_LLM`] : []
  if (kind !== 'openai-live') return []
  if (liveBase === undefined && isLocal(base)) return [`PARLEY_ENGINE=${kind}: needs OPENAI_LIVE_BASE_URL`]
  return key === undefined && !isLocal(liveBase) ? [`PARLEY_ENGINE=${kind}: needs OPENAI_API_KEY`] : []
}
