// What holds for every operation: where it is, who may ask, how it refuses.

import type { ComponentChildren } from 'preact'
import type { ApiDocument } from '../document.ts'
import { placeholder } from '../examples.ts'
import { ProblemTable } from './refusals.tsx'

export function Introduction({ document: { info, components } }: { document: ApiDocument }) {
  return (
    <div class="introduction">
      <h1>Parley API</h1>
      <p>
        {info.description} A list that has pages answers <code>items</code> and <code>next</code>: give{' '}
        <code>next</code> as <code>cursor</code> to read on, until it is null.
      </p>
      <dl class="facts">
        <Fact name="Address">
          <code>{location.origin}</code>
        </Fact>
        <Fact name="Version">{info.version}</Fact>
        <Fact name="Document">
          <a href="/v1/openapi.json">OpenAPI 3.1 as JSON</a>
        </Fact>
      </dl>
      <Authentication schemes={components.securitySchemes} />
      <section id="problems">
        <h2>Problems</h2>
        <p>
          Every refusal is JSON: <code>{'{"error": {"code", "message", "retry"}}'}</code>. Branch on <code>code</code>;{' '}
          <code>message</code> is for people. <code>retryAfterMs</code> says how long to wait, <code>issues</code> what
          is wrong with a request, part by part. A WebSocket that is refused is closed with the code in the third
          column.
        </p>
        <details class="body">
          <summary>All codes</summary>
          <ProblemTable />
        </details>
      </section>
    </div>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Authentication({ schemes }: { schemes: ApiDocument['components']['securitySchemes'] }) {
  return (
    <section id="authentication">
      <h2>Authentication</h2>
      <p>There are three ways; an operation says which it takes, and the ability that is needed.</p>
      <ul class="ways">
        <Way title="API key" told={schemes.apiKey?.description} header={`authorization: Bearer ${placeholder.apiKey}`}>
          For programs. It is of one tenant and has a scope; made in the <a href="/console">console</a> under Keys, or
          by <a href="#POST-/v1/api-keys">POST /v1/api-keys</a>.
        </Way>
        <Way
          title="Visitor’s token"
          told={schemes.visitor?.description}
          header={`authorization: Bearer ${placeholder.visitor}`}
        >
          For browsers. The widget gets one for its site key; your own page gets a client secret from your server, by{' '}
          <a href="#POST-/v1/realtime/client_secrets">POST /v1/realtime/client_secrets</a>. A browser gives it to a
          WebSocket as the subprotocol <code>openai-insecure-api-key.{placeholder.visitor}</code>.
        </Way>
        <Way
          title="Operator’s session"
          told={schemes.operator?.description}
          header={`cookie: parley_session=${placeholder.session}\nx-parley-csrf: ${placeholder.csrf}`}
        >
          For the console. Whatever is not GET needs the second header, from{' '}
          <a href="#GET-/v1/console/me">GET /v1/console/me</a>; <code>?tenant=</code> chooses the tenant.
        </Way>
      </ul>
    </section>
  )
}

interface WayProps {
  readonly title: string
  readonly told: string | undefined
  /** Lines of a request. */
  readonly header: string
  readonly children: ComponentChildren
}

function Way({ title, told, header, children }: WayProps) {
  return (
    <li>
      <h3>{title}</h3>
      <p>
        {told} {children}
      </p>
      <pre>
        <code>{header}</code>
      </pre>
    </li>
  )
}
