import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { inWords } from '../../../api/problem.ts'
import { useScope } from '../../../api/scope.tsx'
import type { ToolDraft } from '../../../api/tool-calls.ts'
import { Button } from '../../../ui/button.tsx'
import { RadioCards } from '../../../ui/choice-fields.tsx'
import { TextArea } from '../../../ui/text-fields.tsx'
import { formOf, type ToolForm } from './tool-form.ts'

type From = 'sentence' | 'openapi'

interface DraftPaneProps {
  readonly isNew: boolean
  readonly onDraft: (form: Partial<ToolForm>) => void
}

/** Fills the form in; nothing is saved by it. */
export function DraftPane({ isNew, onDraft }: DraftPaneProps) {
  const { api } = useScope()
  const [from, setFrom] = useState<From>('sentence')
  const [text, setText] = useState('')
  const [taken, setTaken] = useState<ToolDraft>()
  const take = (draft: ToolDraft) => {
    const { name, ...rest } = formOf(draft.descriptor)
    onDraft(isNew ? { name, ...rest } : rest)
    setTaken(draft)
  }
  const draft = useMutation({
    mutationFn: () => api.tools.draft(from === 'sentence' ? { sentence: text.trim() } : { openapi: text }),
    onMutate: () => setTaken(undefined),
    onSuccess: ({ items: [first, ...more] }) => {
      if (first !== undefined && more.length === 0) take(first)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    draft.mutate()
  }
  return (
    <div className="side-pane">
      <p className="side-note">
        The assistant fills the form in. Look it over and try it before you save; nothing is saved by itself.
      </p>
      <form onSubmit={submit} aria-label="Draft the tool">
        <RadioCards
          id="draft-from"
          label="Made of"
          value={from}
          choices={[
            { value: 'sentence', name: 'A sentence', note: 'What it should do, and where.' },
            { value: 'openapi', name: 'An OpenAPI document', note: 'Version 3, as JSON.' },
          ]}
          onChange={setFrom}
        />
        <TextArea
          key={from}
          id="draft-text"
          label={from === 'sentence' ? 'What should it do?' : 'Document'}
          value={text}
          onChange={setText}
          rows={from === 'sentence' ? 3 : 8}
          placeholder={
            from === 'sentence'
              ? 'GET https://api.example.com/orders/{id} tells where an order is.'
              : '{ "openapi": "3.1.0", … }'
          }
        />
        <Button type="submit" variant="primary" icon="spark" busy={draft.isPending} disabled={text.trim() === ''}>
          Draft
        </Button>
      </form>
      {draft.isError && (
        <div className="problem" role="alert">
          <p>{inWords(draft.error)}</p>
        </div>
      )}
      {draft.isSuccess && draft.data.items.length > 1 && (
        <Operations drafts={draft.data.items} taken={taken} onTake={take} />
      )}
      {taken !== undefined && <Taken draft={taken} />}
    </div>
  )
}

interface OperationsProps {
  readonly drafts: readonly ToolDraft[]
  readonly taken: ToolDraft | undefined
  readonly onTake: (draft: ToolDraft) => void
}

/** A document describes many; one of them becomes this tool. */
function Operations({ drafts, taken, onTake }: OperationsProps) {
  return (
    <section className="draft-list" aria-label="Operations of the document">
      <h3>{drafts.length} operations</h3>
      <ul>
        {drafts.map((draft) => (
          <li key={draft.descriptor.name}>
            <span>
              <code>{draft.descriptor.name}</code>
              <small>{draft.descriptor.description}</small>
            </span>
            <Button
              aria-pressed={draft === taken}
              aria-label={`Use ${draft.descriptor.name}`}
              onClick={() => onTake(draft)}
            >
              Use
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Taken({ draft }: { draft: ToolDraft }) {
  return (
    <div role="status" className="draft-taken">
      <p>The form is filled in with {draft.descriptor.name}. Try it, then save it.</p>
      {draft.notes.length > 0 && (
        <ul aria-label="Still to do">
          {draft.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  )
}
