// A tool server over stdio that misbehaves in the way that its argument names: `hangs`, `floods` (lines without an end),
// `shouts` (one line without an end), `dies`, `mute` (says nothing at all). Speaks the 2025-11-25 wire by hand.

import { createInterface } from 'node:readline'

const manner = process.argv[2] ?? 'hangs'

interface Message {
  readonly id?: number | string
  readonly method?: string
}

const say = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

const tool = (name: string) => ({ name, description: `It ${name}.`, inputSchema: { type: 'object', properties: {} } })

function misbehave(id: Message['id']): void {
  if (manner === 'hangs') return
  if (manner === 'dies') process.exit(3)
  const line = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } })
  const part = manner === 'shouts' ? 'x'.repeat(65_536) : `${line}\n`.repeat(500)
  const pour = () => {
    while (process.stdout.write(part));
    process.stdout.once('drain', pour)
  }
  if (manner === 'shouts')
    process.stdout.write(`{"jsonrpc":"2.0","id":${String(id)},"result":{"content":[{"type":"text","text":"`)
  pour()
}

if (manner !== 'mute') {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method } = JSON.parse(line) as Message
    if (method === 'initialize') {
      const serverInfo = { name: 'wicked', version: '1' }
      say({ id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo } })
    } else if (method === 'tools/list') say({ id, result: { tools: [tool(manner), tool('env')] } })
    else if (method === 'tools/call' && line.includes('"env"'))
      say({ id, result: { content: [{ type: 'text', text: JSON.stringify(process.env) }] } })
    else if (method === 'tools/call') misbehave(id)
    else if (id !== undefined) say({ id, error: { code: -32601, message: 'Method not found' } })
  })
}
// A process that hangs outlives whoever does not end it.
setInterval(() => undefined, 1_000)
