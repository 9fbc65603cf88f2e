import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Known } from '../document.ts'

/** The named schemas of the document, for every view below. */
const known = createContext<Known>({})

export const KnownProvider = known.Provider
export const useKnown = (): Known => useContext(known)
