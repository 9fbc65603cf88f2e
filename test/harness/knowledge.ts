// Knowledge on a test's store, with nothing on the web to fetch.

import type { Db } from 'mongodb'
import { pino } from 'pino'
import { createKnowledge, type Knowledge, type KnowledgeDeps } from '../../gateway/knowledge/knowledge.ts'
import { systemClock } from '../../gateway/platform/clock.ts'
import { newId } from '../../gateway/platform/ids.ts'

export function knowledgeIn(db: Db, over: Partial<KnowledgeDeps> = {}): Knowledge {
  const guard: KnowledgeDeps['guard'] = {
    check: async (url) => new URL(url),
    fetch: async (url) => {
      throw new Error(`nothing is fetched here: ${url}`)
    },
  }
  return createKnowledge({
    ...{ db, guard, clock: systemClock, log: pino({ level: 'silent' }), nodeId: newId('node') },
    ...over,
  })
}
