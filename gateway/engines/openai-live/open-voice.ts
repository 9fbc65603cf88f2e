import type { DirectCall, EngineBrief } from '../engines.ts'
import { liveAddress } from '../upstream/address.ts'
import * as commands from './commands.ts'
import type { Conversation } from './conversation.ts'
import type { ProviderSession } from './live-session.ts'
import type { LiveNeeds } from './needs.ts'
import type { Voices } from './voices.ts'

export interface VoiceFacts {
  readonly brief: EngineBrief
  readonly conversation: Conversation
  readonly direct: DirectCall | undefined
}

/** A session of the provider as the agent is to sound now. Throws TypeError when the address cannot be used at all. */
export function openVoice(voices: Voices, needs: LiveNeeds, facts: VoiceFacts): ProviderSession {
  const { apiKey, baseUrl, defaultModel, backendModel } = needs
  const { brief, conversation, direct } = facts
  const model = brief.model === '' ? defaultModel : brief.model
  const start = { model, brief, conversation, backendModel }
  if (direct === undefined) return voices.open(liveAddress(baseUrl, apiKey), commands.sessionStart(start))
  return voices.direct({ provider: { baseUrl, apiKey }, model, session: commands.callSession(start), direct })
}
