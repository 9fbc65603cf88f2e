// The media library: pictures, videos and documents that agents may show or read.

import { z } from 'zod'
import { shortText, template } from './template.ts'

export const mediaKinds = ['image', 'video', 'audio', 'document'] as const

export const media = template(
  {
    slug: 'media',
    name: 'Media',
    description: 'Files of the tenant: where they are, and what documents say.',
    searchFields: ['name', 'description', 'tags', 'text'],
    titleField: 'name',
  },
  z.strictObject({
    name: shortText,
    description: z.string().max(2_000).optional(),
    kind: z.enum(mediaKinds),
    /** e.g. application/pdf */
    mime: z.string().max(120).optional(),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .optional(),
    /** Of a document: what it says. */
    text: z.string().max(100_000).optional(),
    tags: z.array(z.string().min(1).max(60)).max(40).optional(),
    bytes: z.int().min(0).optional(),
  }),
)
