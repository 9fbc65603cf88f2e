import { useMemo, useState } from 'react'
import type { ToolView } from '../../../../gateway/protocol/tools.ts'
import { Button } from '../../../ui/button.tsx'
import { Icon } from '../../../ui/icon.tsx'
import { Modal } from '../../../ui/modal.tsx'
import { Pill } from '../../../ui/pill.tsx'
import { passes } from '../../tools/filter.ts'
import { categoryName, costWords, effectWords } from '../../tools/words.ts'

interface ToolPickerProps {
  readonly registry: readonly ToolView[]
  readonly chosen: readonly string[]
  readonly onChange: (chosen: string[]) => void
  readonly onClose: () => void
}

/** The registry by category, with a box for each tool and one for each category. */
export function ToolPicker({ registry, chosen, onChange, onClose }: ToolPickerProps) {
  const [text, setText] = useState('')
  const shown = useMemo(() => registry.filter((tool) => passes(tool, { q: text })), [registry, text])
  const categories = [...new Set(shown.map((tool) => tool.category))]
  const set = (names: readonly string[], on: boolean) => {
    const rest = chosen.filter((each) => !names.includes(each))
    onChange(on ? [...rest, ...names] : rest)
  }
  return (
    <Modal open onOpenChange={onClose} title="Tools it may use" wide>
      <div className="search tool-picker-search">
        <Icon name="search" />
        <input
          type="search"
          className="input"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="Find a tool"
          aria-label="Find a tool"
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className="tool-picker" tabIndex={0} aria-label="Tools">
        {shown.length === 0 && <p className="quiet">None of the {registry.length} tools fits.</p>}
        {categories.map((category) => {
          const tools = shown.filter((tool) => tool.category === category)
          const names = tools.map((tool) => tool.name)
          const all = names.every((name) => chosen.includes(name))
          return (
            <fieldset key={category}>
              <legend>
                {categoryName(category)}
                <Button variant="ghost" onClick={() => set(names, !all)}>
                  {all ? 'None of these' : 'All of these'}
                </Button>
              </legend>
              {tools.map((tool) => (
                <Choice
                  key={tool.name}
                  tool={tool}
                  checked={chosen.includes(tool.name)}
                  onCheck={(on) => set([tool.name], on)}
                />
              ))}
            </fieldset>
          )
        })}
      </section>
      <div className="modal-actions">
        <span className="quiet tool-picker-count" role="status">
          {chosen.length} chosen
        </span>
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Modal>
  )
}

interface ChoiceProps {
  readonly tool: ToolView
  readonly checked: boolean
  readonly onCheck: (checked: boolean) => void
}

function Choice({ tool, checked, onCheck }: ChoiceProps) {
  const effect = effectWords(tool)
  return (
    <label className="tool-choice">
      <input type="checkbox" checked={checked} onChange={(event) => onCheck(event.target.checked)} />
      <span className="tool-choice-words">
        <code>{tool.name}</code>
        <small className="tool-choice-text">{tool.description}</small>
      </span>
      <Pill tone={effect.tone}>{effect.text}</Pill>
      <span className="quiet number">{costWords(tool)}</span>
    </label>
  )
}
