import { createContext, type ReactNode, use, useEffect, useState } from 'react'
import { type Bindings, createHotkeys, type Hotkeys } from './hotkeys.ts'

const HotkeyContext = createContext<Hotkeys | undefined>(undefined)

/** Listens once for the whole console; fields, dialogs and menus keep their own keys. */
export function HotkeyProvider({ children }: { children: ReactNode }) {
  const [hotkeys] = useState(createHotkeys)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
      if (isTyping(event.target)) return
      if (hotkeys.press(event.key, event.timeStamp)) event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [hotkeys])
  return <HotkeyContext value={hotkeys}>{children}</HotkeyContext>
}

/** Memoise the bindings: a new object registers anew. */
export function useHotkeys(bindings: Bindings): void {
  const hotkeys = use(HotkeyContext)
  useEffect(() => hotkeys?.register(bindings), [hotkeys, bindings])
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.isContentEditable ||
    target.closest('input, textarea, select, [role="dialog"], [role="alertdialog"], [role="menu"]') !== null
  )
}
