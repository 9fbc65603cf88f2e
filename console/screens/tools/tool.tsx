import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { ToolView } from '../../../gateway/protocol/tools.ts'
import { inWords, isMissing } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { toolQuery } from '../../api/tool-queries.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { CodeBlock } from '../../ui/copy.tsx'
import { latency } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Page, Section } from '../../ui/page.tsx'
import { Pill } from '../../ui/pill.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { ParameterList } from './parameter-list.tsx'
import { ToolUsers } from './tool-users.tsx'
import { ToolsTabs } from './tools-tabs.tsx'
import { categoryName, costWords, effectWords, originName, originOf, retryWords } from './words.ts'
import './tools.css'

const route = getRouteApi('/inside/tools/$name')

export function ToolScreen() {
  const { name } = route.useParams()
  const scope = useScope()
  const tool = useQuery(toolQuery(scope, name))
  return (
    <Page
      title={<code>{name}</code>}
      name={`${name} · ${scope.chosen.name}`}
      aside={<ToolsTabs />}
      actions={tool.isSuccess && tool.data.own && <Actions tool={tool.data} />}
    >
      {tool.isPending && <Loading rows={8} label="Loading the tool" />}
      {tool.isError && isMissing(tool.error) && (
        <Empty icon="tool" title="There is no such tool">
          <p>
            It was deleted, or its server is gone. <Link to="/tools">Show all tools</Link>
          </p>
        </Empty>
      )}
      {tool.isError && !isMissing(tool.error) && <ProblemBox error={tool.error} onRetry={() => void tool.refetch()} />}
      {tool.isSuccess && <Whole tool={tool.data} />}
    </Page>
  )
}

function Actions({ tool }: { tool: ToolView }) {
  const origin = originOf(tool)
  return (
    <Allowed to="tools.write">
      {origin === 'http' && (
        <Link to="/tools/$name/edit" params={{ name: tool.name }} className="button">
          <Icon name="edit" /> Edit
        </Link>
      )}
      {origin !== 'mcp' && <Remove tool={tool} />}
    </Allowed>
  )
}

function Remove({ tool }: { tool: ToolView }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.tools.remove(tool.name),
    onSuccess: async () => {
      await navigate({ to: '/tools' })
      await queries.invalidateQueries({ queryKey: [tenant, 'tools'] })
      notifyDone(`${tool.name} is gone.`)
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <>
      <Button variant="danger" icon="trash" onClick={() => setAsking(true)}>
        Delete
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Delete ${tool.name}?`}
        text="Agents that name it go on without it. What it did stays in the conversations."
        action="Delete"
        danger
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
    </>
  )
}

function Whole({ tool }: { tool: ToolView }) {
  const effect = effectWords(tool)
  return (
    <>
      <dl className="tool-facts">
        <div>
          <dt>Category</dt>
          <dd>{categoryName(tool.category)}</dd>
        </div>
        <div>
          <dt>Comes from</dt>
          <dd>{originName(tool)}</dd>
        </div>
        <div>
          <dt>Effect</dt>
          <dd>
            <Pill tone={effect.tone}>{effect.text}</Pill>
          </dd>
        </div>
        <div>
          <dt>Credits a call</dt>
          <dd className="number">{costWords(tool)}</dd>
        </div>
        <div>
          <dt>Longest wait</dt>
          <dd className="number">{latency(tool.timeoutMs)}</dd>
        </div>
      </dl>
      <Section title="What the model is told" note="Word for word; the prompt is made of it.">
        <CodeBlock code={toldText(tool)} label="description" />
      </Section>
      <Section title="Arguments">
        <ParameterList parameters={tool.parameters} />
      </Section>
      <Section title="Agents" note="Who may use it, and what happens then.">
        <ToolUsers tool={tool} />
      </Section>
      <Section title="When something breaks">
        <p>A call that began and whose answer was lost {retryWords[tool.retry] ?? tool.retry}</p>
      </Section>
    </>
  )
}

function toldText({ description, instructions }: ToolView): string {
  return instructions === '' ? description : `${description}\n\n${instructions}`
}
