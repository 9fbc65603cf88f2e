// How an agent lets itself be interrupted, from its configuration.

import type { Brief } from '../../agents/agents.ts'
import type { AttentionSettings } from './attentive-engine.ts'

/** Configs stored before there was a choice lack it. */
export function attentionOf({ bargeIn, greeting }: Pick<Brief, 'bargeIn' | 'greeting'>): AttentionSettings {
  const afterMs = bargeIn?.afterMs ?? undefined
  return {
    decides: bargeIn?.decidedBy !== 'engine',
    filtersEcho: bargeIn?.echoFilter !== false,
    nods: bargeIn?.backchannels ?? [],
    ...(afterMs === undefined ? {} : { interruptMs: afterMs }),
    ...(bargeIn?.greeting === false && greeting !== null ? { guarded: greeting } : {}),
  }
}
