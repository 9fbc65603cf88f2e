import type { RefObject } from 'preact'
import { useState } from 'preact/hooks'
import { limits } from '../../gateway/protocol/realtime.ts'
import type { State } from '../state.ts'
import { Icon } from './icon.tsx'
import { usePanel } from './panel-context.ts'

export function Composer({ state, field }: { state: State; field: RefObject<HTMLTextAreaElement | null> }) {
  const { visit, words } = usePanel()
  const [text, setText] = useState('')
  const { boot, call } = state
  const placeholder = boot?.texts.placeholder || words.write
  const empty = text.trim() === ''
  const canTalk = boot?.voice === true && call === 'off'
  const send = (): void => {
    visit.say(text)
    setText('')
    field.current?.focus()
  }
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        if (!empty) send()
      }}
    >
      <textarea
        ref={field}
        // Browsers that size fields by their content take no notice.
        rows={Math.min(5, text.split('\n').length)}
        dir="auto"
        value={text}
        maxLength={limits.userTextChars}
        placeholder={placeholder}
        aria-label={words.write}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          // While an input method composes, Enter chooses a word.
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          if (!empty) send()
        }}
      />
      {canTalk && empty ? (
        <button key="talk" type="button" class="talk" onClick={() => visit.startCall()}>
          <Icon name="mic" />
          {words.talk}
        </button>
      ) : (
        <button key="send" type="submit" class="send" aria-label={words.send} disabled={empty}>
          <Icon name="send" />
        </button>
      )}
    </form>
  )
}
