// Events of today as a server of the old Realtime interface would have sent them.

type Json = Readonly<Record<string, unknown>>

/** Undefined: the old interface has no such event. */
export function betaOf(event: Json & { readonly type: string }): Json | undefined {
  const { type } = event
  if (type === 'conversation.item.done') return undefined
  const named =
    type === 'conversation.item.added'
      ? 'conversation.item.created'
      : type.replace('.output_audio', '.audio').replace('.output_text', '.text')
  const change = Object.fromEntries(
    Object.entries(event).map(([key, value]) => {
      if (key === 'item' && isJson(value)) return [key, itemOf(value)]
      return key === 'response' && isJson(value) ? [key, responseOf(value)] : [key, value]
    }),
  )
  return { ...change, type: named }
}

function responseOf({ output_modalities, output, audio: _audio, ...rest }: Json): Json {
  const modalities = Array.isArray(output_modalities) && output_modalities[0] === 'audio' ? ['text', 'audio'] : ['text']
  const items = Array.isArray(output) ? output.map((each) => (isJson(each) ? itemOf(each) : each)) : []
  return { ...rest, modalities, voice: 'alloy', output_audio_format: 'pcm16', output: items }
}

function itemOf(item: Json): Json {
  if (!Array.isArray(item.content)) return item
  const content = item.content.map((part) => {
    return isJson(part) ? { ...part, type: String(part.type).replace(/^output_/, '') } : part
  })
  return { ...item, content }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
