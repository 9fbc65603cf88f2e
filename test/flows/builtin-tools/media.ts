// The media library.

import { expect } from 'vitest'
import type { Scene, ToolCase } from './scene.ts'

async function library({ place, tenantId }: Scene, mark = ''): Promise<Readonly<Record<string, string>>> {
  const { entities, identity } = place.gateway.app.slices
  const media = entities.of(tenantId).as(identity.authFor.system(tenantId)).template('media')
  const text = `${mark}Wash at thirty degrees. `.repeat(400)
  const data = [
    {
      name: 'Red sofa',
      kind: 'image',
      url: 'https://shop.example/sofa.jpg',
      tags: ['sofa', 'red'],
      mime: 'image/jpeg',
    },
    { name: 'Sofa care guide', kind: 'document', text, tags: ['sofa'], mime: 'application/pdf' },
  ] as const
  const made = await Promise.all(data.map((each) => media.create({ data: { ...each, tags: [...each.tags] } })))
  return Object.fromEntries(made.map((each) => [String(each.data.name), each.id]))
}

export const mediaCases: readonly ToolCase[] = [
  {
    ...{ tool: 'search_media', id: 'S000-30' },
    says: 'media are found by words, kind and tag; only the tenant’s own',
    async run(scene) {
      await library(await scene.another(), 'Canary. ')
      await library(scene)
      const found = await scene.call('search_media', { query: 'sofa' })
      expect(found.count).toBe(2)
      expect(JSON.stringify(found)).not.toContain('Canary')
      expect(await scene.call('search_media', { kind: 'image', tag: 'red' })).toMatchObject({
        count: 1,
        items: [{ name: 'Red sofa', url: 'https://shop.example/sofa.jpg' }],
      })
    },
  },
  {
    ...{ tool: 'get_document_content', id: 'S000-30' },
    says: 'the text of a document is read page by page; another tenant’s is not found',
    async run(scene) {
      const theirs = await library(await scene.another(), 'Canary. ')
      const own = await library(scene)
      const first = await scene.call('get_document_content', { document: own['Sofa care guide'] })
      expect(first).toMatchObject({ title: 'Sofa care guide', page: 1, pages: 2 })
      expect(first.text).toMatch(/^Wash at thirty degrees/)
      expect(await scene.call('get_document_content', { document: own['Sofa care guide'], page: 2 })).toMatchObject({
        page: 2,
      })
      expect(await scene.call('get_document_content', { document: own['Red sofa'] })).toMatchObject({
        error: { code: 'unsupported' },
      })
      const stolen = await scene.call('get_document_content', { document: theirs['Sofa care guide'] })
      expect(stolen).toMatchObject({ error: { code: 'not_found' } })
    },
  },
]
