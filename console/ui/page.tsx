import { type ReactNode, useEffect } from 'react'
import './page.css'

interface PageProps {
  readonly title: ReactNode
  /** For the browser's tab and history. */
  readonly name: string
  readonly aside?: ReactNode
  readonly actions?: ReactNode
  /** `fill`: the content scrolls inside itself (virtual lists); otherwise the page scrolls. */
  readonly fill?: boolean
  readonly children: ReactNode
}

export function Page({ title, name, aside, actions, fill = false, children }: PageProps) {
  useEffect(() => {
    document.title = `${name} · Parley`
  }, [name])
  return (
    <main className="page" data-fill={fill || undefined} id="main">
      <header className="page-head">
        <h1>{title}</h1>
        {aside !== undefined && <div className="page-aside">{aside}</div>}
        {actions !== undefined && <div className="page-actions">{actions}</div>}
      </header>
      <div className="page-body">{children}</div>
    </main>
  )
}

export function Section(props: { title: string; note?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className="section" aria-label={props.title}>
      <header className="section-head">
        <h2>{props.title}</h2>
        {props.note !== undefined && <p>{props.note}</p>}
        {props.actions !== undefined && <div className="section-actions">{props.actions}</div>}
      </header>
      {props.children}
    </section>
  )
}
