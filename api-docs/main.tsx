// The page of the API: fetches the document of the gateway that served it, and shows it.

import { render } from 'preact'
import type { ApiDocument } from './document.ts'
import { Page } from './views/page.tsx'

async function load(): Promise<ApiDocument> {
  const response = await fetch('/v1/openapi.json')
  if (!response.ok) throw new Error(`The API document answered ${response.status}`)
  return response.json()
}

const root = document.getElementById('page')
if (root === null) throw new Error('The page has no #page')
render(
  <p class="notice" role="status">
    Loading the API document…
  </p>,
  root,
)
load().then(
  (document) => render(<Page document={document} />, root),
  () =>
    render(
      <p class="notice" role="alert">
        The API document could not be loaded. <a href="/docs">Try again</a>, or open{' '}
        <a href="/v1/openapi.json">/v1/openapi.json</a>.
      </p>,
      root,
    ),
)
