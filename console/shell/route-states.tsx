import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { Empty, ProblemBox } from '../ui/states.tsx'

export function RouteMissing() {
  return (
    <main className="alone">
      <Empty icon="alert" title="There is no such page">
        <p>
          <Link to="/">Go to the live sessions</Link>
        </p>
      </Empty>
    </main>
  )
}

export function RouteFailed({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    reset()
    void router.invalidate()
  }
  return (
    <main className="alone">
      <ProblemBox error={error} onRetry={retry} />
    </main>
  )
}
