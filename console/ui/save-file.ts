/** Hands a file to the person through the browser's own download. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The download has begun once the click is handled; the memory may go a moment later.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
