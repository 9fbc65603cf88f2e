// Why a document cannot be read: expected, told to whoever uploaded it.

import type { SourceProblemCode } from '../../protocol/knowledge.ts'

export class Unreadable extends Error {
  readonly code: SourceProblemCode

  /** `message` is for people. */
  constructor(code: SourceProblemCode, message: string) {
    super(message)
    this.name = 'Unreadable'
    this.code = code
  }
}
