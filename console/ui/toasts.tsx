// The toaster lives in a root of its own and is fetched with the first toast: no screen needs it to appear.

import { flushSync } from 'react-dom'
import { createRoot, type Root } from 'react-dom/client'
import { Toaster, toast } from 'sonner'

let root: Root | undefined

export function showToast(kind: 'success' | 'error', text: string): void {
  if (root === undefined) mount()
  // A refusal takes longer to read than a success.
  toast[kind](text, { duration: kind === 'error' ? 8_000 : 4_000 })
}

/** Sonner forgets toasts that come before its toaster is there, hence the flush. */
function mount(): void {
  const place = document.body.appendChild(document.createElement('div'))
  root = createRoot(place)
  const toaster = (
    <Toaster position="bottom-right" offset={16} mobileOffset={{ bottom: 72 }} closeButton className="toasts" />
  )
  flushSync(() => root?.render(toaster))
}
