// Records for tests of the console.

import type { SessionView } from '../../gateway/protocol/rest.ts'
import type { Turn } from '../../gateway/protocol/turn.ts'

export function sampleSession(part: Partial<SessionView> = {}): SessionView {
  return {
    id: 'ses_1',
    tenantId: 'ten_1',
    agent: { id: 'agt_1', slug: 'reception', name: 'Reception' },
    conversationId: 'con_1',
    contactId: 'cnt_1',
    channel: 'widget',
    state: 'live',
    engine: { kind: 'demo', model: 'demo', demo: true },
    startedAt: '2026-01-01T10:00:00.000Z',
    lastSeenAt: '2026-01-01T10:01:00.000Z',
    seconds: 60,
    tokens: 0,
    creditsMicro: 1_000_000,
    costUsdMicro: null,
    turns: 2,
    interruptions: 0,
    latencyMs: 500,
    lastText: 'Hello',
    activity: 'listening',
    ...part,
  }
}

export function sampleTurn(part: Partial<Turn> = {}): Turn {
  return {
    id: 'trn_1',
    sessionId: 'ses_1',
    conversationId: 'con_1',
    channel: 'widget',
    role: 'user',
    state: 'final',
    seq: 1,
    text: 'Hello',
    voice: false,
    itemId: 'item_1',
    createdAt: '2026-01-01T10:00:05.000Z',
    updatedAt: '2026-01-01T10:00:06.000Z',
    ...part,
  }
}
