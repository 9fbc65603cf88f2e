// What every view may need: the visit's verbs and the words.

import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Visit } from '../visit.ts'
import type { Words } from '../words.ts'

export interface PanelContext {
  readonly visit: Visit
  readonly words: Words
  /** Undefined when the panel is a page of its own. */
  readonly close: (() => void) | undefined
}

const context = createContext<PanelContext | undefined>(undefined)

export const PanelProvider = context.Provider

export function usePanel(): PanelContext {
  const panel = useContext(context)
  if (panel === undefined) throw new Error('A view outside of the panel')
  return panel
}
