import { Toaster } from 'sonner'

export function Toasts() {
  return <Toaster position="bottom-right" offset={16} mobileOffset={{ bottom: 72 }} closeButton className="toasts" />
}
