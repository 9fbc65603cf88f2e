import { Link } from '@tanstack/react-router'
import { memo } from 'react'
import type { ToolView } from '../../../gateway/protocol/tools.ts'
import { Pill } from '../../ui/pill.tsx'
import { categoryName, costWords, effectWords, originName } from './words.ts'

export function ToolHead() {
  return (
    <div className="rows-head tool-grid" aria-hidden="true">
      <span>Tool</span>
      <span>Category</span>
      <span>Comes from</span>
      <span>Effect</span>
      <span className="end">Credits a call</span>
      <span className="end">Agents</span>
    </div>
  )
}

export const ToolRow = memo(function ToolRow({ tool, users }: { tool: ToolView; users: readonly string[] }) {
  const effect = effectWords(tool)
  return (
    <Link to="/tools/$name" params={{ name: tool.name }} className="row tool-grid" data-tool={tool.name}>
      <span className="tool-name">
        <strong>{tool.name}</strong>
        <small title={tool.description}>{tool.description}</small>
      </span>
      <span className="tool-category">{categoryName(tool.category)}</span>
      <span className="tool-origin quiet">{originName(tool)}</span>
      <span className="tool-effect">
        <Pill tone={effect.tone}>{effect.text}</Pill>
      </span>
      <span className="tool-cost end number">
        <span className="sr">credits a call:</span> {costWords(tool)}
      </span>
      <span className="tool-users end number" title={users.join(', ')}>
        {users.length} <span className="sr">agents use it</span>
      </span>
    </Link>
  )
})
