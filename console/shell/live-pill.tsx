import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useLive } from '../api/live.tsx'
import type { Link } from '../api/live-state.ts'
import { refusals, unknownWord } from '../ui/words.ts'

export function LivePill() {
  const link = useLive((state) => state.link)
  const queries = useQueryClient()
  const signedOut = link.state === 'refused' && link.code === 'unauthenticated'
  useEffect(() => {
    // The answer will be a 401, which leads to the sign-in screen.
    if (signedOut) void queries.invalidateQueries({ queryKey: ['me'] })
  }, [signedOut, queries])
  return (
    <span className="live-pill" data-state={link.state} role="status" title={explain(link)}>
      <span className="live-dot" aria-hidden="true" />
      <span>{label(link)}</span>
    </span>
  )
}

function label(link: Link): string {
  switch (link.state) {
    case 'connecting':
      return 'Connecting'
    case 'live':
      return 'Live'
    case 'reconnecting':
      return 'Reconnecting'
    case 'refused':
      return refusals[link.code] ?? unknownWord(link.code)
  }
}

function explain(link: Link): string {
  switch (link.state) {
    case 'connecting':
      return 'Opening the live connection'
    case 'live':
      return 'Sessions and transcripts are shown as they happen'
    case 'reconnecting':
      return `The live connection was lost; attempt ${link.attempt}. What you see may be old.`
    case 'refused':
      return 'The gateway refused the live connection'
  }
}
