import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { AgentDetail } from '../../../../gateway/protocol/agents.ts'
import { inWords } from '../../../api/problem.ts'
import { useMay, useScope } from '../../../api/scope.tsx'
import { Button } from '../../../ui/button.tsx'
import { SwitchField } from '../../../ui/choice-fields.tsx'
import { Modal } from '../../../ui/modal.tsx'
import { notifyDone, notifyFailed } from '../../../ui/notify.ts'
import { NumberField, TextField } from '../../../ui/text-fields.tsx'
import { Changes } from './changes.tsx'
import type { Draft } from './use-draft.ts'

export function Deploy({ agent, draft }: { agent: AgentDetail; draft: Draft }) {
  const [asking, setAsking] = useState(false)
  const may = useMay()
  const nothing = agent.version > 0 && agent.draftVersion === agent.version && agent.rollout === null
  if (!may('agents.deploy')) return null
  return (
    <>
      <Button
        variant="primary"
        onClick={() => setAsking(true)}
        disabled={draft.dirty || nothing || agent.status === 'archived'}
        title={whyNot(draft.dirty, nothing)}
      >
        Deploy
      </Button>
      {asking && <DeployForm agent={agent} onClose={() => setAsking(false)} />}
    </>
  )
}

function whyNot(dirty: boolean, nothing: boolean): string | undefined {
  if (dirty) return 'Save the draft first'
  return nothing ? 'The draft is what is live' : undefined
}

function DeployForm({ agent, onClose }: { agent: AgentDetail; onClose: () => void }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [note, setNote] = useState('')
  const [percent, setPercent] = useState(100)
  const first = agent.version === 0
  const asleep = agent.status === 'draft' || agent.status === 'paused'
  const [activate, setActivate] = useState(agent.status === 'draft')
  const run = useMutation({
    mutationFn: async () => {
      const share = percent < 100 ? { percent } : {}
      const deployed = await api.agents.deploy(agent.id, { note: note.trim(), ...share })
      return asleep && activate ? api.agents.move(agent.id, 'activate') : deployed
    },
    onSuccess: async (detail) => {
      queries.setQueryData([tenant, 'agents', agent.id], detail)
      await queries.invalidateQueries({ queryKey: [tenant, 'agents'] })
      notifyDone(percent < 100 ? `${percent} % of people get the draft now.` : `v${detail.version} is live.`)
      onClose()
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (event.currentTarget.checkValidity()) run.mutate()
  }
  return (
    <Modal
      open
      onOpenChange={onClose}
      title={`Deploy v${agent.draftVersion} of ${agent.name}`}
      description="New conversations get it at once; those that run keep what they have."
      wide
    >
      <form onSubmit={submit} noValidate>
        {!first && <Changes agent={agent} from="live" to="draft" />}
        <TextField
          id="deploy-note"
          label="Note"
          hint="What changed and why; shown in the list of versions."
          value={note}
          onChange={setNote}
          maxLength={200}
        />
        {!first && (
          <NumberField
            id="deploy-percent"
            label="Share of people who get it, in percent"
            hint="Always the same people. The others stay on the version that is live."
            value={percent}
            onChange={(value) => value !== null && setPercent(value)}
            parse={percentOf}
            refusal="A whole number from 1 to 100, please."
            required
            range={{ min: 1, max: 100, step: 1 }}
          />
        )}
        {asleep && (
          <SwitchField
            id="deploy-activate"
            label="Activate the agent"
            hint={`It is ${agent.status === 'draft' ? 'a draft' : 'paused'} and answers nobody until it is active.`}
            checked={activate}
            onChange={setActivate}
          />
        )}
        <div className="modal-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={run.isPending}>
            Deploy
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function percentOf(text: string): number | undefined {
  const value = Number(text)
  return Number.isInteger(value) && value >= 1 && value <= 100 ? value : undefined
}
