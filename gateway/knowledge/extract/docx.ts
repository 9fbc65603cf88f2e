// DOCX by mammoth: its paragraphs, lists and tables under their headings.

import mammoth from 'mammoth'
import type { Extracted } from './chunks.ts'
import { blocksOfHtml } from './html.ts'
import { Unreadable } from './unreadable.ts'
import { checkZip } from './zip.ts'

const mostUnpackedBytes = 100 * 1024 * 1024

export async function readDocx(bytes: Uint8Array): Promise<Extracted> {
  const names = checkZip(bytes, mostUnpackedBytes)
  if (!names.has('word/document.xml'))
    throw new Unreadable('unsupported', 'This is no Word document. PDF, DOCX, HTML, Markdown, CSV and text are read.')
  const noImage = mammoth.images.imgElement(async () => ({ src: '' }))
  const { value } = await mammoth
    .convertToHtml({ buffer: Buffer.from(bytes) }, { convertImage: noImage })
    .catch((cause: unknown) => {
      throw Object.assign(new Unreadable('unreadable', 'The document is damaged.'), { cause })
    })
  return { blocks: blocksOfHtml(`<html><body>${value}</body></html>`) }
}
