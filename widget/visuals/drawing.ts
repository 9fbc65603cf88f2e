// What every block may need.

import type { Say, SubmitValues } from '../../gateway/protocol/visuals/blocks.ts'
import type { SubmitIssue } from '../../gateway/protocol/visuals/submit.ts'

export interface Drawing {
  readonly say: Say
  readonly language: string
  /** What was sent from the visual is on its way. */
  readonly sending: boolean
  /** Returns what is wrong with it; empty: it was sent. */
  readonly submit: (values: SubmitValues) => readonly SubmitIssue[]
}
