import { useBlocker } from '@tanstack/react-router'
import { Confirm } from './confirm.tsx'

/** Asks before what was typed is lost: to another page of the console, or out of it. */
export function LeaveGuard({ dirty }: { dirty: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: dirty,
    withResolver: true,
  })
  return (
    <Confirm
      open={blocker.status === 'blocked'}
      onOpenChange={() => blocker.reset?.()}
      title="Leave without saving?"
      text="There are changes that are not saved. They are lost when you leave."
      action="Leave"
      danger
      onConfirm={() => blocker.proceed?.()}
    />
  )
}
