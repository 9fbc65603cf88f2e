import { Modal } from '../ui/modal.tsx'
import { navItems } from './nav.ts'

const groups: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  { title: 'Go to', keys: navItems.map((item) => [item.keys, item.name] as const) },
  {
    title: 'Lists',
    keys: [
      ['j', 'Next row'],
      ['k', 'Previous row'],
      ['Enter', 'Open the row'],
    ],
  },
  {
    title: 'Approvals',
    keys: [
      ['a', 'Approve'],
      ['e', 'Edit, then approve'],
      ['r', 'Reject with a reason'],
      ['u', 'Undo, within 5 seconds'],
    ],
  },
  {
    title: 'Session',
    keys: [
      ['x', 'End the session'],
      ['Escape', 'Close a dialog'],
    ],
  },
  { title: 'Anywhere', keys: [['?', 'This sheet']] },
]

export function Help({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts">
      <div className="help">
        {groups.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(([keys, meaning]) => (
                <div key={keys}>
                  <dt>
                    {keys.split(' ').map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <p>
          <a href="/docs" target="_blank" rel="noreferrer">
            API documentation
          </a>
        </p>
      </div>
    </Modal>
  )
}
