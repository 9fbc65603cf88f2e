// The file of an upload: the body itself, or the field `file` of a form.

import type { RawBody } from '../platform/http.ts'
import { Problem } from '../platform/problem.ts'
import type { Upload } from './sources.ts'

/** `invalid` for a form without a file. */
export async function fileOf({ type, bytes }: RawBody, name: string | undefined): Promise<Upload> {
  if (!/^multipart\/form-data\b/i.test(type)) return { name: name ?? 'Untitled', type, bytes }
  const file = await formFile(type, bytes)
  return { name: name ?? file.name, type: file.type, bytes: new Uint8Array(await file.arrayBuffer()) }
}

async function formFile(type: string, bytes: Uint8Array): Promise<File> {
  try {
    const form = await new Response(Buffer.from(bytes), { headers: { 'content-type': type } }).formData()
    const file = form.get('file')
    if (file instanceof File) return file
  } catch (cause) {
    throw new Problem('invalid', 'The form is damaged.', { cause })
  }
  throw new Problem('invalid', 'The form has no file in its field `file`.')
}
