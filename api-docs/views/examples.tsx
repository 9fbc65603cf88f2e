// Examples of one operation, one at a time, to be copied.

import { useId, useState } from 'preact/hooks'
import type { Example } from '../examples.ts'

export function Examples({ examples }: { examples: readonly Example[] }) {
  const [chosen, setChosen] = useState(0)
  const group = useId()
  const example = examples[chosen] ?? examples[0]
  if (example === undefined) return null
  return (
    <section class="examples" aria-label="Examples">
      <div class="bar">
        <fieldset class="tabs">
          <legend class="sr">Example as</legend>
          {examples.map(({ name }, at) => (
            <label key={name}>
              <input type="radio" name={group} checked={at === chosen} onChange={() => setChosen(at)} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
        <Copy text={example.text} what={`the ${example.name} example`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard */}
      <pre tabIndex={0}>
        <code>{example.text}</code>
      </pre>
    </section>
  )
}

interface CopyProps {
  readonly text: string
  /** For people who do not see what it stands beside. */
  readonly what: string
  readonly label?: string
}

export function Copy({ text, what, label = 'Copy' }: CopyProps) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  const copy = async (): Promise<void> => {
    // Without HTTPS a browser gives no clipboard.
    const done = await Promise.resolve(navigator.clipboard?.writeText(text).then(() => true)).catch(() => false)
    setState(done === true ? 'copied' : 'failed')
    setTimeout(() => setState('idle'), 2_000)
  }
  const words = { idle: label, copied: 'Copied', failed: 'Select and copy' }
  return (
    <>
      <button type="button" class="copy" onClick={copy}>
        {words[state]}
        <span class="sr"> {what}</span>
      </button>
      <span class="sr" role="status">
        {state === 'idle' ? '' : words[state]}
      </span>
    </>
  )
}
