// The states of a request, in words.

import type { ApprovalState, ApprovalView } from '../../../gateway/protocol/approvals.ts'
import type { JsonObject } from '../../ui/json.ts'
import { type Tone, unknownWord } from '../../ui/words.ts'

interface StateWords {
  readonly text: string
  readonly tone: Tone
  /** For whoever wonders what that means for the person who waits. */
  readonly meaning: string
}

const states: Readonly<Record<ApprovalState, StateWords>> = {
  pending: { text: 'Waiting', tone: 'warn', meaning: 'Nothing has happened yet. The agent talks on meanwhile.' },
  approved: { text: 'Approved', tone: 'info', meaning: 'It runs when the time to undo is over.' },
  running: { text: 'Running', tone: 'info', meaning: 'The tool is at work.' },
  done: { text: 'Done', tone: 'good', meaning: 'The tool ran.' },
  failed: { text: 'Failed', tone: 'bad', meaning: 'It was approved, but the tool refused or did not work.' },
  unknown: {
    text: 'Unknown',
    tone: 'bad',
    meaning:
      'It began and its answer was lost: it may have happened or not. Look where it would have happened before anybody does it again.',
  },
  rejected: { text: 'Rejected', tone: 'neutral', meaning: 'The tool did not run.' },
  withdrawn: { text: 'Withdrawn', tone: 'neutral', meaning: 'It may not run any more, whoever approves it.' },
  expired: { text: 'Expired', tone: 'neutral', meaning: 'Nobody decided in time. The tool did not run.' },
}

export function stateWords(state: string): StateWords {
  const known = Object.entries(states).find(([name]) => name === state)
  return known?.[1] ?? { text: unknownWord(state), tone: 'neutral', meaning: '' }
}

/** What the tool gets, or got. A role's mask may have taken it out. */
export function argumentsOf(approval: ApprovalView): JsonObject {
  return approval.editedArguments ?? approval.arguments ?? {}
}

export const decidedStates = ['done', 'failed', 'unknown', 'rejected', 'expired', 'withdrawn'] as const
