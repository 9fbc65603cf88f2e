// The five sections of the form and the fields that stand in each, so that an issue finds its place.

export const sections = [
  { id: 'identity', name: 'Identity' },
  { id: 'knowledge', name: 'Knowledge' },
  { id: 'model', name: 'Model' },
  { id: 'guardrails', name: 'Guardrails' },
  { id: 'channels', name: 'Channels' },
] as const

export type SectionId = (typeof sections)[number]['id']

const fields: Readonly<Record<SectionId, readonly string[]>> = {
  identity: [
    ...['name', 'subtype', 'displayName', 'personality', 'language', 'brandVoiceInstructions', 'systemPrompt'],
    ...['greeting', 'closing', 'library'],
  ],
  knowledge: ['faqEntries', 'useSystemKnowledge'],
  model: [
    ...['modelProvider', 'modelId', 'fallbackModels', 'temperature', 'maxTokens', 'engine', 'fallbackEngines'],
    ...['media', 'model', 'voice', 'hearing', 'speaks'],
  ],
  guardrails: [
    ...['autonomyLevel', 'enabledTools', 'disabledTools', 'requireApprovalFor', 'blockedTopics', 'clientTools'],
    'toolPermissions',
    ...['maxMessagesPerDay', 'maxCostPerDay', 'limits', 'mutable', 'delegates'],
  ],
  channels: ['channelBindings'],
}

/** Where an issue is shown; undefined for one that no field of the form can answer. */
export function sectionOf(path: string): SectionId | undefined {
  const field = path.split('.')[0] ?? ''
  return sections.find(({ id }) => fields[id].includes(field))?.id
}
