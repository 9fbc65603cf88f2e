// Holds the live state outside React: components subscribe to the part they show.

import { emptyLive, type LiveAction, type LiveState, reduceLive } from './live-state.ts'

export interface LiveStore {
  get(): LiveState
  dispatch(action: LiveAction): void
  subscribe(listener: () => void): () => void
}

/** `soon` gathers a burst of events into one notification, e.g. per animation frame. */
export function createLiveStore(soon: (notify: () => void) => void): LiveStore {
  let state = emptyLive
  let scheduled = false
  const listeners = new Set<() => void>()
  return {
    get: () => state,
    dispatch(action) {
      state = reduceLive(state, action)
      if (scheduled) return
      scheduled = true
      soon(() => {
        scheduled = false
        for (const listener of listeners) listener()
      })
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
