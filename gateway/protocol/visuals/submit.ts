// What a person sends from a visual, against what the visual offered. The same check in the browser and in the gateway. Pure.

import { type Block, type Field, type FormBlock, inner, type SubmitValues } from './blocks.ts'

export interface SubmitIssue {
  /** Name of the field; empty: the whole. */
  readonly path: string
  readonly message: 'required' | 'too_long' | 'too_small' | 'too_large' | 'wrong' | 'not_offered'
}

export type Submitted =
  /** `text`: as a message of the person's. */
  | { readonly is: 'fits'; readonly values: SubmitValues; readonly text: string }
  | { readonly is: 'unfit'; readonly issues: readonly SubmitIssue[] }

/** A file is sent as three values: its name, its media type, its bytes in base64. */
export const fileFields = ['fileName', 'fileType', 'fileBase64'] as const

const notOffered: Submitted = { is: 'unfit', issues: [{ path: '', message: 'not_offered' }] }
const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/

export function readSubmit(blocks: readonly Block[], given: SubmitValues): Submitted {
  const offered = inner(blocks)
  for (const block of offered) {
    if (block.is !== 'choices') continue
    const chosen = block.options.find((option) => isSame(option.values, given))
    if (chosen !== undefined) return { is: 'fits', values: chosen.values, text: chosen.text }
  }
  const form = offered.find((block) => block.is === 'form')
  if (form !== undefined) return filled(form, given)
  const upload = offered.find((block) => block.is === 'upload')
  return upload === undefined ? notOffered : file(upload, given)
}

function isSame(offered: SubmitValues, given: SubmitValues): boolean {
  const names = Object.keys(offered)
  return names.length === Object.keys(given).length && names.every((name) => offered[name] === given[name])
}

function filled({ about, fields }: FormBlock, given: SubmitValues): Submitted {
  const known = new Set(fields.map(({ name }) => name))
  if (Object.keys(given).some((name) => !known.has(name))) return notOffered
  const read = fields.map((field) => ({ field, value: readField(field, given[field.name]) }))
  const issues = read.flatMap(({ field, value }): SubmitIssue[] => {
    const message = faultOf(field, value)
    return message === undefined ? [] : [{ path: field.name, message }]
  })
  if (issues.length > 0) return { is: 'unfit', issues }
  const values = Object.fromEntries(read.flatMap(({ field, value }) => (value === '' ? [] : [[field.name, value]])))
  return { is: 'fits', values, text: `${about}: ${Object.values(values).join(', ')}` }
}

/** Empty text: nothing. */
function readField({ type }: Field, given: unknown): string | number {
  if (type === 'number') {
    if (typeof given === 'number') return given
    return typeof given === 'string' && given.trim() !== '' ? Number(given) : ''
  }
  return typeof given === 'string' ? given.trim() : ''
}

function faultOf(field: Field, value: string | number): SubmitIssue['message'] | undefined {
  const { type, required, most, least } = field
  if (value === '') return required ? 'required' : undefined
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return 'wrong'
    if (value > most) return 'too_large'
    return least !== undefined && value < least ? 'too_small' : undefined
  }
  if (value.length > most) return 'too_long'
  return type === 'email' && !email.test(value) ? 'wrong' : undefined
}

function file({ accept, mostBytes }: Extract<Block, { is: 'upload' }>, given: SubmitValues): Submitted {
  const { fileName: name, fileType: type, fileBase64: bytes } = given
  if (typeof name !== 'string' || typeof type !== 'string' || typeof bytes !== 'string') return notOffered
  if (Object.keys(given).length !== fileFields.length || name === '' || name.length > 200) return notOffered
  const size = Math.floor((bytes.length * 3) / 4)
  if (size > mostBytes) return { is: 'unfit', issues: [{ path: 'fileBase64', message: 'too_large' }] }
  if (!accept.includes(type) || !/^[A-Za-z0-9+/]+=*$/.test(bytes))
    return { is: 'unfit', issues: [{ path: 'fileType', message: 'wrong' }] }
  return { is: 'fits', values: given, text: `${name} (${Math.ceil(size / 1024)} KB)` }
}
