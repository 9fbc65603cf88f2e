// One visual more is one entry more: the model's tool, the panel, the console and the documentation have it.

import { parseHTML } from 'linkedom'
import { expect, test } from 'vitest'
import { object, visual, words } from '../gateway/protocol/visuals/visual.ts'
import { visuals } from '../gateway/protocol/visuals/visuals.ts'
import { visualTools } from '../gateway/tools/client/visual-tools.ts'
import { visualsTable } from './visuals-table.ts'

/** The front ends are compiled by their own rules, and their types would bring a browser's into the gateway. */
const root = new URL('..', import.meta.url).pathname
const { Visual: InConsole } = await import(`${root}console/ui/visual/visual.tsx`)
const { VisualView } = await import(`${root}widget/visuals/visual-view.tsx`)
const load = (name: string) => import(name)
const { createElement, render } = await load('preact')
const { createElement: element } = await load('react')
const { renderToStaticMarkup } = await load('react-dom/server')
const { en } = await import(`${root}widget/words.ts`)

const weather = visual<{ place: string }>({
  name: 'weather',
  title: 'Weather',
  description: 'Shows the weather of a place. Only when asked.',
  schema: object({ place: words(80, 'Where') }, ['place']),
  example: { place: 'Hamburg' },
  blocks: ({ place }) => [{ is: 'heading', text: place }],
})
const among = [...visuals, weather]
const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>'
const shown = { id: 'weather-1', visual: 'weather', data: { place: hostile } }

test('[S002-2] a visual that is added to the list is a tool, is drawn by both clients, and is in the documentation', () => {
  const entities = {
    of: () => {
      throw new Error('not asked')
    },
  }
  const tools = visualTools({ entities, visualHosts: [] } as never, [], among)
  expect(tools.find(({ name }) => name === 'show_weather')).toMatchObject({
    description: weather.description,
    readOnly: true,
  })
  expect(visualsTable(among)).toContain('| `show_weather` | Weather | Shows the weather of a place. |')
  const { document, window } = parseHTML('<html><body><main></main></body></html>')
  Object.assign(globalThis, { document, window })
  const main = document.querySelector('main')
  if (main === null) throw new Error('no place to draw')
  const send = () => undefined
  render(
    createElement(VisualView, { shown, among, words: en, language: 'en', sending: false, refused: false, send }),
    main as never,
  )
  const inConsole = renderToStaticMarkup(element(InConsole, { shown, among }))
  // What others wrote is text, whatever it looks like.
  for (const html of [main.innerHTML, inConsole]) {
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(html).not.toMatch(/<img|<script/)
  }
})
