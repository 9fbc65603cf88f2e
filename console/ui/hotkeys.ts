// Keyboard shortcuts as sequences ("g l", "j", "?"): one matcher for the whole console.

export type Bindings = Readonly<Record<string, () => void>>

/** A second key later than this starts anew. */
const sequenceMs = 1_000

export interface Hotkeys {
  /** The bindings registered last win. Returns a function that takes them back. */
  register(bindings: Bindings): () => void
  /** True when the key did something. */
  press(key: string, nowMs: number): boolean
}

export function createHotkeys(): Hotkeys {
  const layers: Bindings[] = []
  let pending = ''
  let pendingAtMs = 0

  function find(sequence: string): (() => void) | undefined {
    return layers.findLast((layer) => layer[sequence] !== undefined)?.[sequence]
  }
  function isPrefix(sequence: string): boolean {
    return layers.some((layer) => Object.keys(layer).some((one) => one.startsWith(`${sequence} `)))
  }

  return {
    register(bindings) {
      layers.push(bindings)
      return () => {
        const at = layers.indexOf(bindings)
        if (at >= 0) layers.splice(at, 1)
      }
    },
    press(key, nowMs) {
      const fresh = pending === '' || nowMs - pendingAtMs > sequenceMs
      const sequence = fresh ? key : `${pending} ${key}`
      pending = ''
      const run = find(sequence)
      if (run !== undefined) {
        run()
        return true
      }
      if (isPrefix(sequence)) {
        pending = sequence
        pendingAtMs = nowMs
        return true
      }
      return false
    },
  }
}
