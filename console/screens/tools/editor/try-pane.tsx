import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { inWords, issuesOf } from '../../../api/problem.ts'
import { useScope } from '../../../api/scope.tsx'
import type { ToolTrial } from '../../../api/tool-calls.ts'
import { Button } from '../../../ui/button.tsx'
import { CodeBlock } from '../../../ui/copy.tsx'
import { latency } from '../../../ui/format.ts'
import type { JsonObject } from '../../../ui/json.ts'
import { Pill } from '../../../ui/pill.tsx'
import { SchemaForm } from '../../../ui/schema-form/schema-form.tsx'
import { parametersOf, type ToolForm, toolOf } from './tool-form.ts'

/** One real call with what is in the form, saved or not: what went out, what came back, what the model would get. */
export function TryPane({ form }: { form: ToolForm }) {
  const { api } = useScope()
  const [args, setArgs] = useState<JsonObject>({})
  const run = useMutation({
    mutationFn: () => api.tools.test({ ...toolOf(form), name: form.name.trim() || 'draft' }, args),
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const wrong = event.currentTarget.querySelector<HTMLElement>('input:invalid, textarea:invalid')
    if (wrong !== null) wrong.focus()
    else run.mutate()
  }
  const issues = issuesOf(run.error)
  return (
    <div className="side-pane">
      <form onSubmit={submit} noValidate aria-label="Try the tool">
        <SchemaForm id="try" schema={parametersOf(form)} value={args} onChange={setArgs} />
        {!form.readOnly && (
          <p className="side-note try-warning">This is a real call: whatever the tool changes is changed.</p>
        )}
        <Button type="submit" variant="primary" icon="play" busy={run.isPending} disabled={form.url.trim() === ''}>
          Run
        </Button>
      </form>
      {run.isError && (
        <div className="problem" role="alert">
          <p>
            {issues.length === 0
              ? inWords(run.error)
              : issues.map(({ path, message }) => `${path}: ${message}`).join(' · ')}
          </p>
        </div>
      )}
      {run.isSuccess && <Trial trial={run.data} />}
    </div>
  )
}

function Trial({ trial }: { trial: ToolTrial }) {
  const { request, response } = trial
  return (
    <section className="trial" aria-label="What happened">
      <section aria-label="Request">
        <h3>
          Request <span className="quiet number">{latency(trial.ms)}</span>
        </h3>
        <CodeBlock code={requestText(request)} label="request" />
      </section>
      <section aria-label="Response">
        <h3>
          Response {response !== null && <Pill tone={response.status < 400 ? 'good' : 'bad'}>{response.status}</Pill>}
        </h3>
        {response === null ? (
          <p className="quiet">None came.</p>
        ) : (
          <CodeBlock code={response.body === '' ? '(empty)' : response.body} label="response" />
        )}
      </section>
      <section aria-label="What the model gets">
        <h3>What the model gets</h3>
        <CodeBlock code={JSON.stringify(trial.result, null, 2)} label="result" />
      </section>
    </section>
  )
}

function requestText({ method, url, headers, body }: ToolTrial['request']): string {
  const lines = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)]
  return body === null ? lines.join('\n') : `${lines.join('\n')}\n\n${body}`
}
