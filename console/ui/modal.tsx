import { Dialog } from 'radix-ui'
import type { ReactNode } from 'react'
import { IconButton } from './button.tsx'

interface ModalProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly title: string
  readonly description?: ReactNode
  readonly children: ReactNode
  /** A secret shown once must not vanish through a stray click beside the dialog. */
  readonly sticky?: boolean
  readonly wide?: boolean
}

export function Modal({ open, onOpenChange, title, description, children, sticky = false, wide = false }: ModalProps) {
  const keep = (event: Event) => {
    if (sticky) event.preventDefault()
  }
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content
          className="modal"
          data-wide={wide || undefined}
          onInteractOutside={keep}
          {...(description === undefined ? { 'aria-describedby': undefined } : {})}
        >
          <Dialog.Title className="modal-title">{title}</Dialog.Title>
          {description !== undefined && <Dialog.Description className="modal-text">{description}</Dialog.Description>}
          {children}
          <Dialog.Close asChild>
            <IconButton icon="close" label="Close" className="modal-close" />
          </Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
