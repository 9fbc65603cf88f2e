// Toasts. The library is fetched on first use: it is not needed to show a first screen.

export function notifyDone(text: string): void {
  void import('sonner').then(({ toast }) => toast.success(text))
}

export function notifyFailed(text: string): void {
  void import('sonner').then(({ toast }) => toast.error(text, { duration: 8_000 }))
}
