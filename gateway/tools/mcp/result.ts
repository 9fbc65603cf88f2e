// What a server answers to a call, as data a model may read: text and structured content as they are, everything else
// described; no more than fits. Pure.

import type { CallToolResult } from '@modelcontextprotocol/client'
import type { JsonObject, ToolResult } from '../tool.ts'

/** Of the whole answer as JSON: below what a call may answer, with room for what is around it. */
const answerBytes = 15 * 1024
const errorChars = 2_000
const maxAttachments = 20

export function toolResult(result: CallToolResult, secrets: readonly string[] = []): ToolResult {
  // Also as it looks inside JSON.
  const hidden = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
  const clean = (text: string) => hidden.reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text)
  const texts = result.content.flatMap((each) => textOf(each)).map(clean)
  const text = texts.join('\n')
  if (result.isError === true) {
    const message = text === '' ? 'The tool says that it failed, and not why.' : text.slice(0, errorChars)
    return { error: { code: 'tool_failed', message } }
  }
  const data = structured(result.structuredContent, clean)
  const attachments = result.content.flatMap((each) => attachmentOf(each, clean)).slice(0, maxAttachments)
  // Servers repeat structured content as text for clients that know no better.
  const words = data !== undefined && isSameJson(text, data) ? '' : text
  return fitted({ data, text: words, attachments })
}

interface Parts {
  readonly data: unknown
  readonly text: string
  readonly attachments: readonly JsonObject[]
}

const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

function fitted({ data, text, attachments }: Parts): ToolResult {
  const whole = {
    ...(text === '' ? {} : { text }),
    ...(data === undefined ? {} : { data }),
    ...(attachments.length === 0 ? {} : { attachments }),
  }
  if (sizeOf(whole) <= answerBytes) return whole
  const rest = { ...(attachments.length === 0 ? {} : { attachments: attachments.slice(0, 3) }), isCut: true }
  // Data that is cut is no data any more: its beginning is text.
  const long = text === '' ? JSON.stringify(data) : text
  return { text: cutTo(long, answerBytes - sizeOf(rest) - 16), ...rest }
}

/** The longest beginning that takes no more bytes as JSON. */
function cutTo(text: string, bytes: number): string {
  let low = 0
  let high = Math.min(text.length, bytes)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (sizeOf(text.slice(0, middle)) <= bytes) low = middle
    else high = middle - 1
  }
  return text.slice(0, low)
}

function structured(content: unknown, clean: (text: string) => string): unknown {
  if (content === undefined || content === null) return undefined
  return JSON.parse(clean(JSON.stringify(content)))
}

function isSameJson(text: string, data: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(data)
  } catch {
    return false
  }
}

type Block = CallToolResult['content'][number]

function textOf(block: Block): readonly string[] {
  if (block.type === 'text') return [block.text]
  if (block.type === 'resource' && 'text' in block.resource) return [block.resource.text]
  return []
}

/** Told of, not passed on: models here take text. */
function attachmentOf(block: Block, clean: (text: string) => string): readonly JsonObject[] {
  const short = (text: string) => clean(text).slice(0, 500)
  switch (block.type) {
    case 'image':
    case 'audio':
      return [{ type: block.type, mimeType: short(block.mimeType), bytes: Math.floor((block.data.length * 3) / 4) }]
    case 'resource_link':
      return [{ type: 'link', uri: short(block.uri), name: short(block.name) }]
    case 'resource':
      return [
        {
          ...{ type: 'resource', uri: short(block.resource.uri) },
          ...('blob' in block.resource ? { bytes: Math.floor((block.resource.blob.length * 3) / 4) } : {}),
        },
      ]
    default:
      return []
  }
}
