// The prompt library: prompts of a tenant's own and those any tenant may fall back to.

import type { TenantId } from '../platform/ids.ts'
import { Problem } from '../platform/problem.ts'
import type { PromptView } from '../protocol/agents.ts'
import { type Prompt, selectPrompt } from './agent.ts'
import { type promptStore, sharedShelf } from './prompt-store.ts'

export interface Library {
  /** The tenant's prompt, else the first shared one; `not_found` when there is none. */
  prompt(): Promise<Prompt>
  /** The tenant's own in order, then the shared ones. */
  prompts(): Promise<readonly PromptView[]>
  putPrompt(position: number, prompt: Prompt): Promise<void>
  /** `not_found` when the tenant has none of its own at this place. */
  removePrompt(position: number): Promise<void>
}

export function libraryOf(store: ReturnType<typeof promptStore.open>, tenantId: TenantId): Library {
  return {
    async prompt() {
      const prompt = selectPrompt(await store.candidates(tenantId), tenantId)
      if (prompt === undefined) throw new Problem('not_found', 'The prompt library is empty.')
      return { name: prompt.name, base: prompt.base }
    },
    async prompts() {
      const all = await store.candidates(tenantId)
      const chosen = selectPrompt(all, tenantId)
      const [own, shared] = [all.filter((each) => each.tenantId === tenantId), all.filter(isShared)]
      return [...own, ...shared].map((each) => ({
        ...{ position: each.position, name: each.name, base: each.base },
        ...{ shared: isShared(each), selected: each === chosen },
      }))
    },
    putPrompt: (position, prompt) => store.put(tenantId, position, prompt),
    async removePrompt(position) {
      if (!(await store.remove(tenantId, position))) throw new Problem('not_found')
    },
  }
}

const isShared = ({ tenantId }: { readonly tenantId: string }): boolean => tenantId === sharedShelf
