// The process that reads one document: bytes come in, passages go out, and whatever the document does to it stays here.
// First argument: the format; second: the name. Standard output: one JSON text per line, see `Told`.

import { buffer } from 'node:stream/consumers'
import { type SourceFormat, sourceFormats } from '../../protocol/knowledge.ts'
import { chunksOf, type Extracted } from './chunks.ts'
import { textOf } from './formats.ts'
import { mostChunks, type Told } from './told.ts'
import { Unreadable } from './unreadable.ts'

const chunksPerLine = 200

const tell = (line: Told): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

/** Each library is read when it is needed: all of them take half a second. */
async function extract(format: SourceFormat, bytes: Uint8Array): Promise<Extracted> {
  switch (format) {
    case 'pdf':
      return (await import('./pdf.ts')).readPdf(bytes, (share) => tell({ is: 'progress', share }))
    case 'docx':
      return (await import('./docx.ts')).readDocx(bytes)
    case 'html':
      return (await import('./html.ts')).readHtml(textOf(bytes))
    case 'markdown':
      return (await import('./markdown.ts')).readMarkdown(textOf(bytes))
    case 'csv':
      return (await import('./csv.ts')).readCsv(textOf(bytes))
    case 'text':
      return {
        blocks: textOf(bytes)
          .split(/\n\s*\n/)
          .map((text) => ({ text })),
      }
  }
}

async function run(asked: string, name: string): Promise<void> {
  const format = sourceFormats.find((each) => each === asked)
  if (format === undefined) throw new Error(`no such format: ${asked}`)
  const bytes = await buffer(process.stdin)
  const chunks = chunksOf(await extract(format, bytes), name)
  if (chunks.length === 0) throw new Unreadable('empty', 'There is no text in it.')
  if (chunks.length > mostChunks)
    throw new Unreadable('too_large', `It is too long: more than ${mostChunks} passages. Upload it in parts.`)
  for (let at = 0; at < chunks.length; at += chunksPerLine)
    tell({ is: 'chunks', chunks: chunks.slice(at, at + chunksPerLine) })
  tell({ is: 'end' })
}

const [, , format = '', name = ''] = process.argv
try {
  await run(format, name)
} catch (error) {
  if (error instanceof Unreadable) tell({ is: 'problem', code: error.code, message: error.message })
  else if (error instanceof RangeError)
    tell({ is: 'problem', code: 'unreadable', message: 'The document is nested too deeply or too large.' })
  else tell({ is: 'problem', code: 'unreadable', message: 'The document is damaged.' })
}
