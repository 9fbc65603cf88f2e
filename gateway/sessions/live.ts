// The sessions that live in this process, and who watches them.

import type { TenantId } from '../platform/ids.ts'
import type { SessionView } from '../protocol/rest.ts'
import type { Leg } from './leg.ts'
import type { LiveEvent } from './live-event.ts'
import type { LiveShare } from './live-share.ts'
import type { ResumeKey } from './resume-token.ts'
import type { Session } from './session.ts'

export interface LiveSession {
  readonly session: Session
  readonly credential: { readonly keyId: string; readonly signingKeyId?: string }
  readonly leg: Leg
  readonly resume: ResumeKey | undefined
  readonly epoch: number
  readonly contactId: string
  readonly agentId: string
  readonly conversationId: string
  /** Resolves when what was said so far is durable, at the latest after `timeoutMs`. */
  readonly flushed: (timeoutMs: number) => Promise<unknown>
  /** As it is now, not as last stored. */
  readonly view: () => SessionView
}

export class Live {
  /** Missing: no other process could be watching or be watched. */
  readonly #share: LiveShare | undefined
  readonly #sessions = new Map<string, LiveSession>()
  readonly #watchers = new Map<TenantId, Set<(event: LiveEvent) => void>>()

  constructor(share?: LiveShare) {
    this.#share = share
  }

  get size(): number {
    return this.#sessions.size
  }
  all(): readonly LiveSession[] {
    return [...this.#sessions.values()]
  }
  add(id: string, live: LiveSession): void {
    this.#sessions.set(id, live)
  }
  /** Not if it is here again under another epoch. */
  remove(id: string, epoch: number): void {
    if (this.#sessions.get(id)?.epoch === epoch) this.#sessions.delete(id)
  }
  get(tenantId: TenantId, id: string): LiveSession | undefined {
    const live = this.#sessions.get(id)
    return live?.session.options.tenantId === tenantId ? live : undefined
  }
  /** A visitor who reloads comes back before the last words of the session before are stored: waits for them. */
  async flushed(conversationId: string, timeoutMs: number): Promise<void> {
    const before = this.all().filter((live) => live.conversationId === conversationId)
    await Promise.all(before.map((live) => live.flushed(timeoutMs)))
  }

  watch(tenantId: TenantId, listener: (event: LiveEvent) => void): () => void {
    const watchers = this.#watchers.get(tenantId) ?? new Set()
    watchers.add(listener)
    this.#watchers.set(tenantId, watchers)
    this.#share?.watch(tenantId, (event) => this.#here(tenantId, () => event))
    return () => {
      watchers.delete(listener)
      if (watchers.size > 0 || this.#watchers.get(tenantId) !== watchers) return
      this.#watchers.delete(tenantId)
      void this.#share?.unwatch(tenantId)
    }
  }

  /** `make` runs only if somebody watches. */
  tell(tenantId: TenantId, make: () => LiveEvent): void {
    this.#share?.tell(tenantId, make)
    this.#here(tenantId, make)
  }

  async close(): Promise<void> {
    await this.#share?.close()
  }

  #here(tenantId: TenantId, make: () => LiveEvent): void {
    const watchers = this.#watchers.get(tenantId)
    if (watchers === undefined) return
    const event = make()
    for (const watcher of watchers) watcher(event)
  }
}
