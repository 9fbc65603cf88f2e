import { useEffect, useState } from 'react'
import { Button, IconButton } from './button.tsx'
import { shortId } from './format.ts'
import { notifyFailed } from './notify.ts'

const shownMs = 1_600

export function useCopy(text: string): { readonly copied: boolean; readonly copy: () => void } {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), shownMs)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => {
    writeClipboard(text).then(
      () => setCopied(true),
      () => notifyFailed('The browser did not allow copying. Select the text and copy it by hand.'),
    )
  }
  return { copied, copy }
}

/** Browsers offer a clipboard on https and localhost only. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard === undefined) throw new Error('no clipboard')
  await navigator.clipboard.writeText(text)
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { copied, copy } = useCopy(text)
  return (
    <Button icon={copied ? 'check' : 'copy'} onClick={copy}>
      {copied ? 'Copied' : label}
    </Button>
  )
}

/** An id in mono, shortened, with a copy button; the whole id on hover. */
export function CopyId({ id, name }: { id: string; name: string }) {
  const { copied, copy } = useCopy(id)
  return (
    <span className="copy-id">
      <code title={id}>{shortId(id)}</code>
      <IconButton icon={copied ? 'check' : 'copy'} label={copied ? 'Copied' : `Copy ${name}`} onClick={copy} />
    </span>
  )
}

export function CodeBlock({ code, label }: { code: string; label: string }) {
  const { copied, copy } = useCopy(code)
  return (
    <div className="code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
      <IconButton icon={copied ? 'check' : 'copy'} label={copied ? 'Copied' : `Copy ${label}`} onClick={copy} />
    </div>
  )
}
