import { AlertDialog } from 'radix-ui'
import { type FormEvent, type ReactNode, useState } from 'react'
import { Button } from './button.tsx'

interface ConfirmProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly title: string
  readonly text: ReactNode
  readonly action: string
  readonly danger?: boolean
  readonly busy?: boolean
  /** Asks for a reason, which then may not be empty. */
  readonly reason?: { readonly label: string; readonly suggestions: readonly string[] }
  readonly onConfirm: (reason: string) => void
}

export function Confirm(props: ConfirmProps) {
  return (
    <AlertDialog.Root open={props.open} onOpenChange={props.onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="overlay" />
        <AlertDialog.Content className="modal" onOpenAutoFocus={focusReason}>
          <AlertDialog.Title className="modal-title">{props.title}</AlertDialog.Title>
          <AlertDialog.Description className="modal-text">{props.text}</AlertDialog.Description>
          <ConfirmForm {...props} />
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}

/** The reason comes first when there is one to give; otherwise Radix puts the focus on Cancel. */
function focusReason(event: Event): void {
  const field = document.getElementById('confirm-reason')
  if (field === null) return
  event.preventDefault()
  field.focus()
}

function ConfirmForm({ reason: ask, action, danger, busy, onConfirm }: ConfirmProps) {
  const [reason, setReason] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onConfirm(reason.trim())
  }
  return (
    <form onSubmit={submit}>
      {ask !== undefined && (
        <div className="field">
          <label htmlFor="confirm-reason">{ask.label}</label>
          <input
            id="confirm-reason"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            maxLength={200}
            autoComplete="off"
            required
          />
          <div className="suggestions">
            {ask.suggestions.map((text) => (
              <Button key={text} variant="ghost" onClick={() => setReason(text)}>
                {text}
              </Button>
            ))}
          </div>
        </div>
      )}
      <div className="modal-actions">
        <AlertDialog.Cancel asChild>
          <Button>Cancel</Button>
        </AlertDialog.Cancel>
        <Button
          type="submit"
          variant={danger === true ? 'danger' : 'primary'}
          busy={busy}
          disabled={ask !== undefined && reason.trim() === ''}
        >
          {action}
        </Button>
      </div>
    </form>
  )
}
