import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { RoleDetail, RoleView } from '../../../gateway/protocol/access.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useScope } from '../../api/scope.tsx'
import { Button } from '../../ui/button.tsx'
import { notifyDone, notifyFailed } from '../../ui/notify.ts'
import { Section } from '../../ui/page.tsx'
import { abilityTable, resourceName } from './abilities.ts'
import { MaskList } from './mask-list.tsx'
import { RuleList } from './rule-list.tsx'

/** Which rows the role shows, and which fields of them; saved together. */
export function RowsAndFields({ role, all }: { role: RoleDetail; all: readonly RoleView[] }) {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const saved = { rules: role.rules, masks: role.masks }
  const [edited, setEdited] = useState(saved)
  const [base, setBase] = useState(saved)
  const changed = JSON.stringify(edited) !== JSON.stringify(base)
  if (!changed && JSON.stringify(saved) !== JSON.stringify(base)) {
    setBase(saved)
    setEdited(saved)
  }
  const run = useMutation({
    mutationFn: () => api.roles.change(role.id, edited),
    onSuccess: async () => {
      setBase(edited)
      await queries.invalidateQueries({ queryKey: [tenant, 'roles'] })
      notifyDone('Rows and fields saved.')
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run.mutate()
  }
  const { resources } = abilityTable(all.find((each) => each.name === 'owner')?.abilities ?? role.abilities)
  const choices = resources.map((value) => ({ value, name: resourceName(value) }))
  return (
    <form onSubmit={submit} aria-label="Rows and fields">
      <Section
        title="Rows it shows"
        note="With rules for a resource, only rows that meet all conditions of at least one of them."
      >
        <RuleList rules={edited.rules} choices={choices} onChange={(rules) => setEdited({ ...edited, rules })} />
      </Section>
      <Section
        title="Fields it keeps back"
        note="Hidden: the field is not there. Redacted: it is, its value is not told."
      >
        <MaskList masks={edited.masks} choices={choices} onChange={(masks) => setEdited({ ...edited, masks })} />
      </Section>
      <Allowed to="roles.write">
        <div className="role-save">
          <Button type="submit" variant="primary" busy={run.isPending} disabled={!changed}>
            Save rows and fields
          </Button>
          {changed && (
            <Button variant="ghost" onClick={() => setEdited(base)}>
              Discard
            </Button>
          )}
        </div>
      </Allowed>
    </form>
  )
}
