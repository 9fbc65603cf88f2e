// Which tools an agent may use, which of them ask first, and with whose rights they act.

import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { ToolView } from '../../../../gateway/protocol/tools.ts'
import { agentsQuery } from '../../../api/agent-queries.ts'
import { useMay, useScope } from '../../../api/scope.tsx'
import { toolsQuery } from '../../../api/tool-queries.ts'
import { Button } from '../../../ui/button.tsx'
import { SwitchField, TokenField } from '../../../ui/choice-fields.tsx'
import { Pill } from '../../../ui/pill.tsx'
import { verdictOn, verdictWords } from '../../tools/verdict.ts'
import { categoryName, costWords, effectWords } from '../../tools/words.ts'
import { ToolPermission } from './tool-permission.tsx'
import { ToolPicker } from './tool-picker.tsx'
import type { Draft } from './use-draft.ts'

export function AgentTools({ draft }: { draft: Draft }) {
  const { config, set } = draft
  const registry = useRegistry()
  const names = useKnownNames(registry, config.enabledTools)
  const [picking, setPicking] = useState(false)
  return (
    <>
      <TokenField
        {...draft.field('enabledTools')}
        label="Tools it may use"
        hint="What the tenant or a channel does not allow, it has not got either."
        noun="tool"
        suggestions={names}
      />
      {registry.length > 0 && (
        <div className="tool-pick">
          <Button icon="tool" onClick={() => setPicking(true)}>
            Choose from {registry.length} tools
          </Button>
        </div>
      )}
      {config.enabledTools.length > 0 && <ToolTable draft={draft} registry={registry} />}
      <TokenField
        {...draft.field('requireApprovalFor')}
        label="Ask before using"
        hint="A person approves each use of these, whatever the level."
        noun="tool"
        suggestions={config.enabledTools}
      />
      <TokenField
        {...draft.field('disabledTools')}
        label="Tools it never uses"
        hint="Wins over every permission."
        noun="tool"
        suggestions={names}
      />
      <SwitchField
        id="clientTools"
        label="Your backend may bring its own tools"
        hint="Calls with an API key may add function tools that your backend runs."
        checked={config.clientTools}
        onChange={(checked) => set('clientTools', checked)}
      />
      {picking && (
        <ToolPicker
          registry={registry}
          chosen={config.enabledTools}
          onChange={(enabled) => set('enabledTools', enabled)}
          onClose={() => setPicking(false)}
        />
      )}
    </>
  )
}

function useRegistry(): readonly ToolView[] {
  return useQuery({ ...toolsQuery(useScope()), enabled: useMay()('tools.read') }).data ?? []
}

/** Of the registry and of the tenant's agents: who may not read tools still chooses among those in use. */
function useKnownNames(registry: readonly ToolView[], own: readonly string[]): readonly string[] {
  const agents = useQuery(agentsQuery(useScope())).data
  return useMemo(() => {
    const all = [...own, ...registry.map((tool) => tool.name), ...(agents ?? []).flatMap((agent) => agent.tools)]
    return [...new Set(all)].toSorted()
  }, [registry, own, agents])
}

/** What happens when it calls one. */
function ToolTable({ draft, registry }: { draft: Draft; registry: readonly ToolView[] }) {
  const { config } = draft
  return (
    <div className="table-wrap tool-verdicts">
      <table className="table" aria-label="What its tools do">
        <thead>
          <tr>
            <th scope="col">Tool</th>
            <th scope="col">Effect</th>
            <th scope="col" className="end">
              Credits
            </th>
            <th scope="col">When called</th>
            <th scope="col">Acts for</th>
          </tr>
        </thead>
        <tbody>
          {config.enabledTools.map((name) => {
            const tool = registry.find((each) => each.name === name)
            return <ToolLine key={name} name={name} tool={tool} draft={draft} />
          })}
          <tr>
            <th scope="row" colSpan={4}>
              Every other tool
            </th>
            <td>
              <ToolPermission tool="*" draft={draft} />
            </td>
          </tr>
        </tbody>
      </table>
    </div>
  )
}

function ToolLine({ name, tool, draft }: { name: string; tool: ToolView | undefined; draft: Draft }) {
  const effect = tool && effectWords(tool)
  const verdict = tool && verdictWords[verdictOn(draft.config, tool)]
  return (
    <tr data-agent-tool={name}>
      <th scope="row">
        <code>{name}</code>
        <small>{tool === undefined ? 'No such tool here' : categoryName(tool.category)}</small>
      </th>
      <td>{effect && <Pill tone={effect.tone}>{effect.text}</Pill>}</td>
      <td className="end number">{tool && costWords(tool)}</td>
      <td>{verdict && <Pill tone={verdict.tone}>{verdict.text}</Pill>}</td>
      <td>
        <ToolPermission tool={name} draft={draft} />
      </td>
    </tr>
  )
}
