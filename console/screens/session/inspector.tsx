import { Tabs } from 'radix-ui'
import type { ReactNode } from 'react'

export interface Pane {
  readonly id: string
  readonly name: string
  readonly content: ReactNode
  /** The content scrolls by itself. */
  readonly fill?: boolean
}

export function Inspector({ panes }: { panes: readonly Pane[] }) {
  return (
    <Tabs.Root className="tabs" defaultValue={panes[0]?.id ?? ''}>
      <Tabs.List className="tab-list" aria-label="Session details">
        {panes.map((pane) => (
          <Tabs.Trigger key={pane.id} value={pane.id} className="tab">
            {pane.name}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {panes.map((pane) => (
        <Tabs.Content key={pane.id} value={pane.id} className="tab-body" data-fill={pane.fill || undefined}>
          {pane.content}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  )
}
