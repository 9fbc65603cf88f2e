import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'

/** `/` goes to the filter, Escape clears it, j and k walk through the operations. */
export function useKeys(field: RefObject<HTMLInputElement | null>, clear: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const { target } = event
      if (target instanceof HTMLInputElement && target.type !== 'radio') {
        if (event.key !== 'Escape') return
        clear()
        target.blur()
      } else if (event.key === '/') field.current?.focus()
      else if (event.key === 'j') walk(1)
      else if (event.key === 'k') walk(-1)
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

function walk(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.operation h3 button')]
  const at = rows.findIndex(
    (each) => each === document.activeElement || each.closest('li')?.contains(document.activeElement),
  )
  const next = rows[at + step] ?? (at === -1 ? rows[0] : undefined)
  next?.focus()
}
