import { Tabs } from 'radix-ui'
import type { ReactNode } from 'react'
import './inspector.css'

export interface Pane {
  readonly id: string
  readonly name: string
  readonly content: ReactNode
  /** The content scrolls by itself. */
  readonly fill?: boolean
  /** Stays as it is while another pane is shown. */
  readonly keep?: boolean
}

interface InspectorProps {
  readonly label: string
  readonly panes: readonly Pane[]
  readonly shown?: string
  readonly onShow?: (id: string) => void
}

export function Inspector({ label, panes, shown, onShow }: InspectorProps) {
  return (
    <Tabs.Root
      className="tabs"
      {...(shown === undefined ? { defaultValue: panes[0]?.id ?? '' } : { value: shown })}
      onValueChange={onShow}
    >
      <Tabs.List className="tab-list" aria-label={label}>
        {panes.map((pane) => (
          <Tabs.Trigger key={pane.id} value={pane.id} className="tab">
            {pane.name}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {panes.map((pane) => (
        <Tabs.Content
          key={pane.id}
          value={pane.id}
          className="tab-body"
          data-fill={pane.fill || undefined}
          {...(pane.keep === true ? { forceMount: true } : {})}
        >
          {pane.content}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  )
}
