export function notifyDone(text: string): void {
  void import('./toasts.tsx').then(({ showToast }) => showToast('success', text))
}

export function notifyFailed(text: string): void {
  void import('./toasts.tsx').then(({ showToast }) => showToast('error', text))
}
