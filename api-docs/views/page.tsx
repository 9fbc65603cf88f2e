// The whole page: resources at the side, the filter on top, operations below.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type ApiDocument, addressed, filtered, type Resource, resourcesOf } from '../document.ts'
import icon from '../icon.svg'
import { Introduction } from './introduction.tsx'
import { KnownProvider } from './known.ts'
import { OperationRow } from './operation.tsx'
import { useKeys } from './use-keys.ts'

const count = (resources: readonly Resource[]): number =>
  resources.reduce((sum, { operations }) => sum + operations.length, 0)

export function Page({ document: api }: { document: ApiDocument }) {
  const resources = useMemo(() => resourcesOf(api), [api])
  const [wish, setWish] = useState('')
  const shown = useMemo(() => filtered(resources, wish), [resources, wish])
  const field = useRef<HTMLInputElement>(null)
  const { opened, toggle } = useOpened(resources, () => setWish(''))
  useKeys(field, () => setWish(''))
  const filter = (words: string): void => {
    // The address is no longer what is looked at; and a link to where it was works again.
    if (location.hash !== '') history.replaceState(null, '', location.pathname)
    setWish(words)
  }
  const told = wish === '' ? `${count(resources)} operations` : `${count(shown)} of ${count(resources)} operations`
  return (
    <KnownProvider value={api.components.schemas}>
      <a class="skip" href="#operations">
        Skip to the operations
      </a>
      <header class="top">
        <a class="brand" href="/docs">
          <img src={icon} alt="" width="22" height="22" /> Parley API
        </a>
        <search>
          <label class="filter">
            <span class="sr">Filter operations</span>
            <input
              ref={field}
              type="search"
              value={wish}
              placeholder="Filter: agents post, chat.create …"
              autocomplete="off"
              spellcheck={false}
              onInput={({ currentTarget }) => filter(currentTarget.value)}
            />
            <span class="key" aria-hidden="true">
              /
            </span>
          </label>
          <p class="count" role="status">
            {told}
          </p>
        </search>
        <nav aria-label="Parley">
          <a href="/v1/openapi.json">openapi.json</a> <a href="/console">Console</a>
        </nav>
      </header>
      <div class="columns">
        <Side resources={shown} />
        <main>
          {wish === '' ? <Introduction document={api} /> : null}
          <div id="operations" tabIndex={-1}>
            {shown.map((each) => (
              <ResourceSection key={each.name} resource={each} opened={opened} onToggle={toggle} />
            ))}
            {shown.length === 0 ? <p class="notice">Nothing has all of these words in it.</p> : null}
          </div>
        </main>
      </div>
    </KnownProvider>
  )
}

interface ResourceSectionProps {
  readonly resource: Resource
  readonly opened: ReadonlySet<string>
  readonly onToggle: (id: string) => void
}

function ResourceSection({ resource: { name, operations }, opened, onToggle }: ResourceSectionProps) {
  return (
    <section class="resource" id={`resource-${name}`} aria-labelledby={`title-${name}`}>
      <h2 id={`title-${name}`}>{name}</h2>
      <ul>
        {operations.map((each) => (
          <OperationRow key={each.id} operation={each} open={opened.has(each.id)} onToggle={() => onToggle(each.id)} />
        ))}
      </ul>
    </section>
  )
}

function Side({ resources }: { resources: readonly Resource[] }) {
  const [open, setOpen] = useState(false)
  return (
    <nav class="side" aria-label="Resources" data-open={open}>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        Resources
      </button>
      <ul>
        <li>
          <a href="#authentication">Authentication</a>
        </li>
        <li>
          <a href="#problems">Problems</a>
        </li>
        {resources.map(({ name, operations }) => (
          <li key={name}>
            <a href={`#resource-${name}`} onClick={() => setOpen(false)}>
              {name} <small>{operations.length}</small>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** Which operations are open. The address follows what is opened, and what it names is opened and shown. */
function useOpened(resources: readonly Resource[], showAll: () => void) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => {
    const follow = (): void => {
      const id = addressed(location.hash)
      const names = resources.some(({ operations }) => operations.some((each) => each.id === id))
      if (document.getElementById(id) === null) showAll()
      if (names) setOpened((before) => new Set([...before, id]))
      // What stands below is drawn by then.
      requestAnimationFrame(() => setTimeout(() => show(id, names)))
    }
    if (location.hash !== '') follow()
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [resources])
  const toggle = (id: string): void => {
    const opens = !opened.has(id)
    setOpened((before) =>
      before.has(id) ? new Set([...before].filter((each) => each !== id)) : new Set([...before, id]),
    )
    if (opens) history.replaceState(null, '', `#${id}`)
  }
  return { opened, toggle }
}

function show(id: string, focus: boolean): void {
  const target = document.getElementById(id)
  target?.scrollIntoView()
  if (focus) target?.querySelector('button')?.focus({ preventScroll: true })
}
