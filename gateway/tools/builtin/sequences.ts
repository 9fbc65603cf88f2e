// Sequences of e-mails: who is in them, and what comes next.

import { z } from 'zod'
import type { Effects } from '../effects.ts'
import { personArgs } from '../persons.ts'
import { type BuiltinTool, builtin, listResult } from '../tool.ts'

const sequence = z.string().min(1).max(200).describe('Name or id')

export function sequenceTools({
  effects: { sequences, persons },
}: {
  readonly effects: Pick<Effects, 'sequences' | 'persons'>
}): readonly BuiltinTool[] {
  return [
    builtin(
      {
        ...{ name: 'list_sequences', kind: 'sequences.list_sequences', category: 'sequences', readOnly: true },
        description: 'Lists the sequences of e-mails that somebody can be added to.',
      },
      z.strictObject({}),
      async (_args, { auth }) => listResult(await sequences.list(await auth())),
    ),
    builtin(
      {
        ...{ name: 'add_to_sequence', kind: 'sequences.add_to_sequence', category: 'sequences' },
        ...{ readOnly: false, retry: 'keyed' as const },
        description: 'Adds a person to a sequence of e-mails, once they have agreed to get them.',
      },
      z.strictObject({ sequence, ...personArgs }),
      async ({ sequence: name, ...who }, context) => {
        const person = await persons(context, who)
        return { ...(await sequences.add(await context.auth(), { sequence: name, person, key: context.key })) }
      },
    ),
    builtin(
      {
        ...{
          name: 'get_sequence_status',
          kind: 'sequences.get_sequence_status',
          category: 'sequences',
          readOnly: true,
        },
        description: 'Tells which e-mails of a sequence a person got, and what comes next and when.',
      },
      z.strictObject({ sequence: sequence.optional(), ...personArgs }),
      async ({ sequence: name, ...who }, context) => {
        const person = await persons(context, who)
        return listResult(await sequences.status(await context.auth(), { sequence: name, person }))
      },
    ),
    builtin(
      {
        ...{ name: 'remove_from_sequence', kind: 'sequences.remove_from_sequence', category: 'sequences' },
        ...{ readOnly: false, retry: 'again' as const },
        description: 'Takes a person out of one sequence, or out of all.',
      },
      z.strictObject({ sequence: sequence.optional(), ...personArgs }),
      async ({ sequence: name, ...who }, context) => {
        const person = await persons(context, who)
        return { removed: await sequences.remove(await context.auth(), { sequence: name, person }) }
      },
    ),
  ]
}
