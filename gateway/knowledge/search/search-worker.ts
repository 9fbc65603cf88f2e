// The thread that searches: making the index of 5,000 passages takes a second, which the audio's thread does not have.

import { parentPort } from 'node:worker_threads'
import type { Asked, Told } from './search-thread.ts'
import { createTenantIndex, type TenantIndex } from './tenant-index.ts'
import { loadWordVectors } from './word-vectors.ts'

const vectorizer = loadWordVectors()
const tenants = new Map<string, TenantIndex>()

function indexOf(tenantId: string): TenantIndex {
  const known = tenants.get(tenantId) ?? createTenantIndex(vectorizer)
  tenants.set(tenantId, known)
  return known
}

function answer(asked: Asked): Told {
  const { id } = asked
  switch (asked.do) {
    case 'add':
      indexOf(asked.tenantId).add(asked.group, asked.entries)
      return { id }
    case 'remove':
      tenants.get(asked.tenantId)?.remove(asked.group)
      return { id }
    case 'drop':
      tenants.delete(asked.tenantId)
      return { id }
    case 'search':
      return { id, hits: tenants.get(asked.tenantId)?.search(asked.query) ?? [] }
  }
}

parentPort?.on('message', (asked: Asked) => parentPort?.postMessage(answer(asked)))
