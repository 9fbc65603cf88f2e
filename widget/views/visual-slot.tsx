import { useEffect, useRef, useState } from 'preact/hooks'
import type { Line } from '../lines.ts'
import type { State } from '../state.ts'
import { usePanel } from './panel-context.ts'

type Drawer = typeof import('../visuals/visual-view.tsx')
let loaded: Drawer | undefined

/** A visual's place in the transcript. Who never sees one never loads what draws it. */
export function VisualSlot({ line, state }: { line: Line; state: State }) {
  const { visit, words } = usePanel()
  const [drawer, setDrawer] = useState(loaded)
  const place = useRef<HTMLElement>(null)
  const { visual } = line
  useEffect(() => {
    if (loaded === undefined)
      import('../visuals/visual-view.tsx').then(
        (module) => {
          loaded = module
          setDrawer(module)
        },
        () => undefined,
      )
  }, [])
  // It changes where it stands, which may be out of sight by now.
  useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [visual, drawer])
  if (visual === undefined) return null
  const { id } = visual
  return (
    <section class="visual" ref={place} data-visual={visual.visual} data-id={id} data-past={line.past}>
      {drawer !== undefined && (
        <drawer.VisualView
          shown={visual}
          words={words}
          language={document.documentElement.lang}
          sending={state.lines.some(({ submit, state: at }) => submit?.id === id && at === 'waiting')}
          refused={state.refused.includes(id)}
          send={(values, text) => visit.submit({ id, values }, text)}
        />
      )}
    </section>
  )
}
