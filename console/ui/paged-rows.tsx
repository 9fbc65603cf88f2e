import type { useInfiniteQuery } from '@tanstack/react-query'
import { type ReactNode, useCallback } from 'react'
import { phone, useMedia } from './media.ts'
import { ProblemBox } from './states.tsx'
import { VirtualRows } from './virtual-rows.tsx'

/** What rows need of an infinite query, whatever its pages hold. */
type Pages = Pick<
  ReturnType<typeof useInfiniteQuery>,
  'hasNextPage' | 'isFetchingNextPage' | 'isFetchNextPageError' | 'error'
> & { readonly fetchNextPage: () => Promise<unknown> }

/** A list that asks for its next page when its end comes into sight. */
export function PagedRows<T extends { readonly id: string }>({
  label,
  items,
  pages,
  head,
  rowPx = { small: 64, wide: 42 },
  row,
}: {
  readonly label: string
  readonly items: readonly T[]
  readonly pages: Pages
  readonly head?: ReactNode
  /** Height of a row on a phone, and elsewhere. */
  readonly rowPx?: { readonly small: number; readonly wide: number }
  readonly row: (item: T) => ReactNode
}) {
  const small = useMedia(phone)
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = pages
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage])
  return (
    <VirtualRows
      label={label}
      count={items.length}
      rowPx={small ? rowPx.small : rowPx.wide}
      keyOf={(index) => items[index]?.id ?? String(index)}
      row={(index) => {
        const item = items[index]
        return item && row(item)
      }}
      head={head}
      foot={
        <div className="rows-foot">
          {isFetchNextPageError && <ProblemBox error={pages.error} onRetry={() => void fetchNextPage()} />}
          {isFetchingNextPage && <span className="quiet">Loading more…</span>}
          {!hasNextPage && <span className="quiet">That is everything.</span>}
        </div>
      }
      onEnd={more}
    />
  )
}
