// The Live sessions of this process, by id: where those that attach, and those that hang up, find them.

import type { TenantId } from '../../platform/ids.ts'
import type { LiveCall } from './live-call.ts'

export class LiveCalls {
  readonly #calls = new Map<string, LiveCall>()

  add(call: LiveCall): void {
    this.#calls.set(call.sessionId, call)
    void call.ended.then(() => this.#calls.delete(call.sessionId))
  }

  /** Somebody else's session does not exist. */
  get(tenantId: TenantId, sessionId: string): LiveCall | undefined {
    const call = this.#calls.get(sessionId)
    return call?.tenantId === tenantId ? call : undefined
  }
}
