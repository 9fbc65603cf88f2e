import type { ReactNode } from 'react'
import { type SectionId, sections } from './sections.ts'

export function FormSection({ id, note, children }: { id: SectionId; note: string; children: ReactNode }) {
  const name = sections.find((section) => section.id === id)?.name
  return (
    <section className="form-section" id={`section-${id}`} aria-labelledby={`heading-${id}`}>
      <header>
        <h2 id={`heading-${id}`} tabIndex={-1}>
          {name}
        </h2>
        <p>{note}</p>
      </header>
      {children}
    </section>
  )
}
