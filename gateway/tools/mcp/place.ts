// Where a server is and how it is reached: the port of the two ways.

import type { Transport } from '@modelcontextprotocol/client'

export interface Opened {
  readonly transport: Transport
  /** In good manners. */
  end(): Promise<void>
  /** At once. */
  kill(): void
}

export interface Place {
  readonly isProcess: boolean
  open(): Opened
}
