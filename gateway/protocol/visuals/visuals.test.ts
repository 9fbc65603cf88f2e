import { expect, test } from 'vitest'
import { type Block, type FormBlock, inner, webUrl } from './blocks.ts'
import { chartOf } from './chart.ts'
import { readSubmit } from './submit.ts'
import { blocksOf, type ShownVisual } from './visual.ts'
import { visuals } from './visuals.ts'

const shown = (visual: string, data?: object): ShownVisual => {
  const example = visuals.find(({ name }) => name === visual)?.example ?? {}
  return { id: 'v1', visual, data: { ...example, ...data } }
}
const draw = (visual: string, data?: object) => blocksOf(shown(visual, data), visuals)

test.each(visuals.map(({ name }) => name))(
  '[S002-2] %s draws its example, and nothing of data it cannot read',
  (name) => {
    expect(draw(name).length).toBeGreaterThan(0)
    expect(blocksOf({ id: 'v1', visual: name, data: {} }, visuals)).toEqual(expect.any(Array))
    expect(blocksOf({ id: 'v1', visual: 'of_tomorrow', data: {} }, visuals)).toEqual([])
  },
)

test('[S002-2] an address that is none of the web’s is drawn nowhere', () => {
  const bad = [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'https://bank.example@evil.example/',
    'x',
    '//a',
  ]
  for (const url of bad) {
    expect(webUrl(url)).toBeUndefined()
    const drawn = [
      ...draw('carousel', { items: [{ title: 'A', url, imageUrl: url }] }),
      ...draw('payment_link', { url }),
      ...draw('product_cards', {
        products: [{ name: 'A', unitMinor: 1, currency: 'USD', inStock: true, imageUrl: url }],
      }),
    ]
    expect(inner(drawn).filter(({ is }) => is === 'link' || is === 'image')).toEqual([])
  }
  expect(webUrl('HTTPS://shop.example/a')).toBe('https://shop.example/a')
  const place = '"><script>&x=1#'
  const [open] = draw('map_link', { place }).filter((block) => block.is === 'link')
  expect(new URL(open?.url ?? '').host).toBe('www.openstreetmap.org')
  expect(new URL(open?.url ?? '').searchParams.get('query')).toBe(place)
})

const form = (): readonly Block[] => draw('order_form')
const filled = { quantity: '2', name: ' Ada Lovelace ', email: 'ada@example.com', address: '1 Mill Street', note: '' }

test('[S002-19] what is sent from an order form is what its fields take, and nothing else', () => {
  expect(readSubmit(form(), filled)).toEqual({
    is: 'fits',
    values: { quantity: 2, name: 'Ada Lovelace', email: 'ada@example.com', address: '1 Mill Street' },
    text: 'Alba 3-Seater: 2, Ada Lovelace, ada@example.com, 1 Mill Street',
  })
  const wrong = (values: object) => {
    const read = readSubmit(form(), { ...filled, ...values })
    return read.is === 'unfit' ? read.issues : []
  }
  expect(wrong({ quantity: '0' })).toEqual([{ path: 'quantity', message: 'too_small' }])
  expect(wrong({ quantity: 100 })).toEqual([{ path: 'quantity', message: 'too_large' }])
  expect(wrong({ quantity: 1.5 })).toEqual([{ path: 'quantity', message: 'wrong' }])
  expect(wrong({ name: '' })).toEqual([{ path: 'name', message: 'required' }])
  expect(wrong({ email: 'ada' })).toEqual([{ path: 'email', message: 'wrong' }])
  expect(wrong({ address: 'x'.repeat(401) })).toEqual([{ path: 'address', message: 'too_long' }])
  expect(wrong({ totalMinor: 1 })).toEqual([{ path: '', message: 'not_offered' }])
  expect(readSubmit(draw('order_form', { number: 'O-1' }), filled).is).toBe('unfit')
})

test('[S002-2] of buttons only what they offer can be sent, of files only what was asked for', () => {
  const { slots } = shown('slots').data as { slots: { id: string; label: string }[] }
  expect(readSubmit(draw('slots'), { slot: slots[0]?.id ?? '' })).toMatchObject({ is: 'fits', text: slots[0]?.label })
  expect(readSubmit(draw('slots'), { slot: 'another' }).is).toBe('unfit')
  expect(readSubmit(draw('product_cards'), { product: 'alba-3-seater' })).toMatchObject({
    text: 'Order: Alba 3-Seater',
  })
  expect(readSubmit(draw('chart'), {}).is).toBe('unfit')
  const file = { fileName: 'plan.png', fileType: 'image/png', fileBase64: 'iVBORw0KGgo=' }
  expect(readSubmit(draw('upload'), file)).toMatchObject({ is: 'fits', text: 'plan.png (1 KB)' })
  expect(readSubmit(draw('upload'), { ...file, fileType: 'image/svg+xml' }).is).toBe('unfit')
  expect(readSubmit(draw('upload'), { ...file, fileBase64: 'A'.repeat(400_000) }).is).toBe('unfit')
  expect(readSubmit(draw('upload'), { ...file, path: '/etc' }).is).toBe('unfit')
})

test('[S002-2] words of ours are said in the reader’s language, words of others are left alone', () => {
  const say = (english: string) => `«${english}»`
  const blocks = blocksOf(shown('order_form'), visuals, say)
  const [heading] = blocks
  const fields = blocks.find((block): block is FormBlock => block.is === 'form')?.fields ?? []
  expect(heading).toEqual({ is: 'heading', text: '«Your order»' })
  expect(fields.map(({ label }) => label)).toContain('«Quantity»')
  expect(JSON.stringify(blocks)).not.toContain('«Alba')
})

test('[S002-2] a chart stands in its box and says in words what it draws', () => {
  for (const kind of ['bar', 'line'] as const)
    for (const values of [[0], [-5, 5], [1e12, 1], Array.from({ length: 24 }, (_, i) => i)]) {
      const points = values.map((value, i) => ({ label: `A long label ${i}`, value }))
      const { width, height, bars, line, text } = chartOf(
        { is: 'chart', kind, label: 'Sales', unit: 'USD', points },
        'en',
      )
      for (const bar of bars) {
        expect(bar.x).toBeGreaterThanOrEqual(0)
        expect(bar.x + bar.width).toBeLessThanOrEqual(width)
        expect(bar.y + bar.height).toBeLessThanOrEqual(height)
      }
      expect(line === '').toBe(kind === 'bar')
      expect(text).toMatch(/^Sales \(USD\): A long label 0 /)
    }
})
