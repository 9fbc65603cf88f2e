import { useSyncExternalStore } from 'react'

/** Below this the console is one column with its navigation at the bottom; shell.css has the same number. */
export const phone = '(max-width: 760px)'
/** Below this the session view folds its side columns into tabs; so do the lists, which then drop columns. */
export const folded = '(max-width: 1240px)'

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = window.matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    () => window.matchMedia(query).matches,
  )
}
