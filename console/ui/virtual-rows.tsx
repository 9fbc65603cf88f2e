// A list of fixed-height rows of which only the visible ones exist; j and k walk its links.

import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import { useHotkeys } from './hotkey-context.tsx'

interface VirtualRowsProps {
  readonly label: string
  readonly count: number
  readonly rowPx: number
  readonly keyOf: (index: number) => string
  readonly row: (index: number) => ReactNode
  readonly head?: ReactNode
  readonly foot?: ReactNode
  /** Called when the end comes near. */
  readonly onEnd?: () => void
}

/** Rows from the end at which the next page is asked for: about one screen. */
const nearEnd = 15

export function VirtualRows({ label, count, rowPx, keyOf, row, head, foot, onEnd }: VirtualRowsProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    getItemKey: keyOf,
    overscan: 8,
  })
  useEffect(() => virtual.measure(), [virtual, rowPx])
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? -1
  useEffect(() => {
    if (last >= count - nearEnd) onEnd?.()
  }, [last, count, onEnd])
  useWalking(scroller, virtual.scrollToIndex, count)
  return (
    <div className="rows" ref={scroller}>
      {head}
      <ul aria-label={label} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => (
          <li
            key={item.key}
            data-index={item.index}
            aria-posinset={item.index + 1}
            aria-setsize={count}
            style={{ height: item.size, transform: `translateY(${item.start}px)` }}
          >
            {row(item.index)}
          </li>
        ))}
      </ul>
      {foot}
    </div>
  )
}

type ScrollTo = (index: number) => void

function useWalking(scroller: { readonly current: HTMLElement | null }, scrollTo: ScrollTo, count: number) {
  const bindings = useMemo(() => {
    const link = (index: number) => scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`)
    const focus = (index: number) => {
      if (index < 0 || index >= count) return
      scrollTo(index)
      link(index)?.focus()
      // A row out of sight exists only once the virtualiser has drawn the scrolled position.
      requestAnimationFrame(() => requestAnimationFrame(() => link(index)?.focus()))
    }
    const current = () => Number(document.activeElement?.closest('[data-index]')?.getAttribute('data-index') ?? -1)
    return {
      j: () => focus(current() + 1),
      k: () => focus(current() === -1 ? 0 : current() - 1),
    }
  }, [scroller, scrollTo, count])
  useHotkeys(bindings)
}
