// Sources in words.

import type { SourceFormat, SourceState } from '../../../gateway/protocol/knowledge.ts'
import type { Tone } from '../../ui/words.ts'

export const formatNames: Readonly<Record<SourceFormat, string>> = {
  pdf: 'PDF',
  docx: 'Word',
  html: 'Web page',
  markdown: 'Markdown',
  csv: 'CSV',
  text: 'Text',
}

export const sourceStateNames: Readonly<Record<SourceState, { readonly text: string; readonly tone: Tone }>> = {
  queued: { text: 'Waiting', tone: 'neutral' },
  reading: { text: 'Being read', tone: 'info' },
  ready: { text: 'Ready', tone: 'good' },
  failed: { text: 'Failed', tone: 'bad' },
}

/** What the file picker offers; the gateway looks at the bytes. */
export const acceptedFiles = '.pdf,.docx,.html,.htm,.md,.markdown,.csv,.txt'

/** 1_234_567 → `1.2 MB`. */
export function fileSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
