// Wire types of a tenant's knowledge: the sources agents look things up in, and what an answer refers to.

import type { Page } from './rest.ts'

/** What a source is read as. */
export const sourceFormats = ['pdf', 'docx', 'html', 'markdown', 'csv', 'text'] as const
export type SourceFormat = (typeof sourceFormats)[number]

/** `ready` while nothing new is asked for; a source that is read again stays searchable as it was. */
export const sourceStates = ['queued', 'reading', 'ready', 'failed'] as const
export type SourceState = (typeof sourceStates)[number]

/** Of one uploaded file, in bytes. */
export const maxSourceBytes = 20 * 1024 * 1024

export interface SourceProblem {
  readonly code: SourceProblemCode
  /** For people: what is wrong with it, and what may help. */
  readonly message: string
}

/** `unreadable`: damaged, or not what its name says. `interrupted`: gateways stopped while they read it. */
export const sourceProblems = [
  ...(['empty', 'unreadable', 'encrypted', 'too_large', 'too_slow', 'unsupported'] as const),
  ...(['unreachable', 'forbidden_address', 'interrupted', 'full', 'failed'] as const),
] as const
export type SourceProblemCode = (typeof sourceProblems)[number]

export interface KnowledgeSourceView {
  readonly id: string
  readonly name: string
  readonly kind: 'file' | 'url'
  /** Null: not known before it was fetched. */
  readonly format: SourceFormat | null
  readonly url: string | null
  readonly state: SourceState
  /** Of the reading in progress: 0 to 100. */
  readonly progress: number
  /** Of the last reading. What an earlier one found is still searched. */
  readonly problem: SourceProblem | null
  /** Passages that searches look at. */
  readonly chunks: number
  readonly bytes: number
  /** Of the bytes, in hexadecimal. Null: nothing was read yet. */
  readonly sha256: string | null
  readonly createdBy: string
  readonly createdAt: string
  readonly updatedAt: string
  /** When the passages were made. */
  readonly readAt: string | null
}

export type KnowledgeSourcePage = Page<KnowledgeSourceView>

/** How far the reading of all sources is. */
export interface KnowledgeProgress {
  readonly sources: number
  readonly queued: number
  readonly reading: number
  readonly failed: number
  readonly ready: number
  readonly chunks: number
  /** Of all that is queued or being read: 0 to 100; 100 when nothing is. */
  readonly progress: number
}

/** One passage that a search found. */
export interface KnowledgeFinding {
  readonly kind: string
  readonly title: string
  readonly text: string
  readonly heading: string | null
  readonly page: number | null
  readonly source: string | null
  readonly sourceId: string | null
  readonly url: string | null
  readonly score: number
}
