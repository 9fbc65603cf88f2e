import { type DragEvent, type ReactNode, useRef, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'

interface DropPlaceProps {
  /** Undefined: nothing may be dropped here. */
  readonly onFiles: ((files: readonly File[]) => void) | undefined
  readonly children: ReactNode
}

/** The whole screen takes files that are dropped on it. */
export function DropPlace({ onFiles, children }: DropPlaceProps) {
  const [over, setOver] = useState(false)
  // Entering a child leaves its parent: only the balance says whether the pointer is still inside.
  const depth = useRef(0)
  const enter = (by: number) => (event: DragEvent) => {
    if (onFiles === undefined || !event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    depth.current += by
    setOver(depth.current > 0)
  }
  const drop = (event: DragEvent) => {
    if (onFiles === undefined) return
    event.preventDefault()
    depth.current = 0
    setOver(false)
    onFiles([...event.dataTransfer.files])
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is the mouse's way; the button beside it is everybody's
    <div
      className="drop-place"
      onDragEnter={enter(1)}
      onDragLeave={enter(-1)}
      onDragOver={(event) => onFiles !== undefined && event.preventDefault()}
      onDrop={drop}
    >
      {children}
      {over && (
        <div className="drop-here" aria-hidden="true">
          <Icon name="upload" size={28} />
          <strong>Drop files to upload them</strong>
        </div>
      )}
    </div>
  )
}
