import { useNavigate } from '@tanstack/react-router'
import { DropdownMenu } from 'radix-ui'
import { useState } from 'react'
import type { AgentView } from '../../../gateway/protocol/agents.ts'
import { useMay } from '../../api/scope.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Confirm } from '../../ui/confirm.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { CreateAgent } from './create-agent.tsx'
import { useExportAgent, useMove, useRemoveAgent } from './use-agent-moves.ts'

type Asking = 'archive' | 'delete' | 'duplicate'

/** What is done seldom: behind one button, the last two after a question. */
export function AgentMenu({ agent }: { agent: AgentView }) {
  const [asking, setAsking] = useState<Asking>()
  const navigate = useNavigate()
  const changes = useMay()('agents.write')
  const exporting = useExportAgent(agent)
  return (
    <>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger asChild>
          <IconButton icon="more" label={`More for ${agent.name}`} />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
            <Item
              icon="history"
              text="Activity"
              onSelect={() => void navigate({ to: '/agents/activity', search: (old) => ({ ...old, agent: agent.id }) })}
            />
            {changes && <Item icon="copy" text="Duplicate…" onSelect={() => setAsking('duplicate')} />}
            <Item icon="download" text="Export" onSelect={() => exporting.mutate()} />
            {changes && <DropdownMenu.Separator className="menu-line" />}
            {changes && (agent.status === 'active' || agent.status === 'paused') && (
              <Item icon="archive" text="Archive…" onSelect={() => setAsking('archive')} />
            )}
            {changes && <Item icon="trash" text="Delete…" onSelect={() => setAsking('delete')} />}
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <Asked agent={agent} asking={asking} onDone={() => setAsking(undefined)} />
    </>
  )
}

function Item({ icon, text, onSelect }: { icon: IconName; text: string; onSelect: () => void }) {
  return (
    <DropdownMenu.Item className="menu-item" onSelect={onSelect}>
      <Icon name={icon} />
      <span className="menu-grow">{text}</span>
    </DropdownMenu.Item>
  )
}

function Asked({ agent, asking, onDone }: { agent: AgentView; asking: Asking | undefined; onDone: () => void }) {
  const archive = useMove(agent)
  const remove = useRemoveAgent(agent)
  if (asking === 'duplicate') return <CreateAgent onClose={onDone} original={agent} />
  const deleting = asking === 'delete'
  return (
    <Confirm
      open={asking !== undefined}
      onOpenChange={onDone}
      title={deleting ? `Delete ${agent.name}?` : `Archive ${agent.name}?`}
      text={
        deleting
          ? 'The agent, its versions and its bindings are gone for good. Conversations and receipts stay. To take it out of use only, archive it.'
          : 'It answers nobody any more and leaves the list of agents in use. Its versions and conversations stay.'
      }
      action={deleting ? 'Delete' : 'Archive'}
      danger
      busy={archive.isPending || remove.isPending}
      onConfirm={() => {
        if (deleting) remove.mutate(undefined, { onSettled: onDone })
        else archive.mutate('archive', { onSettled: onDone })
      }}
    />
  )
}
