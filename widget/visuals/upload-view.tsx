import { useState } from 'preact/hooks'
import type { Block } from '../../gateway/protocol/visuals/blocks.ts'
import type { Drawing } from './drawing.ts'

export function UploadView({ block, drawing }: { block: Extract<Block, { is: 'upload' }>; drawing: Drawing }) {
  const { say, sending, submit } = drawing
  const [file, setFile] = useState<File | undefined>(undefined)
  const [fault, setFault] = useState('')
  const send = async (event: Event) => {
    event.preventDefault()
    if (file === undefined) return setFault(say('Please choose a file.'))
    if (file.size > block.mostBytes) return setFault(say('This file is too large.'))
    const fileBase64 = await inBase64(file)
    const issues = submit({ fileName: file.name.slice(-200), fileType: file.type, fileBase64 })
    setFault(issues.length === 0 ? '' : say('This kind of file cannot be sent.'))
  }
  return (
    <form class="fields" noValidate onSubmit={(event) => void send(event)}>
      <input
        type="file"
        aria-label={block.label}
        accept={block.accept.join(',')}
        disabled={sending}
        onChange={({ currentTarget }) => setFile(currentTarget.files?.[0])}
      />
      {fault !== '' && (
        <span class="fault" role="alert">
          {fault}
        </span>
      )}
      <button type="submit" class="primary" disabled={sending}>
        {sending ? say('Sending…') : block.button}
      </button>
    </form>
  )
}

async function inBase64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
