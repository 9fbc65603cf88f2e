// E-mail: sent as the agent says it, or written by a text model first.

import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import type { Effects } from '../effects.ts'
import type { Mailed } from '../mail/mail.ts'
import { personArgs } from '../persons.ts'
import { type BuiltinTool, builtin, EffectUnknown, type ToolContext, type ToolResult } from '../tool.ts'

interface Deps {
  readonly effects: Pick<Effects, 'mail' | 'write' | 'persons'>
}

const subject = z.string().trim().min(1).max(200)
const text = z.string().trim().min(1).max(10_000)
const to = {
  ...personArgs,
  email: personArgs.email.describe(
    'Where it goes. Left out: to the person on the other side, where their address is known',
  ),
}

export function emailTools(deps: Deps): readonly BuiltinTool[] {
  return [sendEmail(deps), sendAiEmail(deps), emailStatus(deps)]
}

/** Somebody may want an e-mail at an address that is not the one on record: the call says which. */
async function addressee({ effects }: Deps, args: z.output<z.ZodObject<typeof to>>, context: ToolContext) {
  const isSomebody = context.contactId !== undefined || args.contactId !== undefined
  const person = isSomebody ? await effects.persons(context, args) : args
  const email = args.email ?? person.email
  if (email === undefined) throw new Problem('invalid', 'The e-mail address is not known: ask for it.')
  return { to: email, contactId: person.contactId, name: person.name }
}

function sendEmail(deps: Deps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'send_email', kind: 'email.send_email', category: 'email', readOnly: false, retry: 'keyed' },
      description: 'Sends an e-mail, word for word.',
    },
    z.strictObject({ subject, text, ...to }),
    async ({ subject: about, text: words, ...who }, context) => {
      const { name: _, ...letter } = await addressee(deps, who, context)
      const { channel, conversationId, key, signal } = context
      const by = { auth: await context.auth(), key, signal }
      return told(await deps.effects.mail.send({ ...letter, subject: about, text: words, channel, conversationId }, by))
    },
  )
}

function sendAiEmail(deps: Deps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'send_ai_email', kind: 'email.send_ai_email', category: 'email', readOnly: false, retry: 'keyed' },
      // A text model writes first.
      timeoutMs: 45_000,
      description: 'Writes an e-mail from instructions and sends it.',
    },
    z.strictObject({
      instructions: z
        .string()
        .trim()
        .min(1)
        .max(4_000)
        .describe('What it is to say, with every fact that belongs in it'),
      tone: z.string().max(100).optional(),
      language: z.string().max(35).describe('e.g. de').optional(),
      ...to,
    }),
    async ({ instructions, tone, language, ...who }, context) => {
      const { name, ...letter } = await addressee(deps, who, context)
      const { tenantId, channel, conversationId, key, signal } = context
      const draft = await deps.effects.write({ tenantId, instructions, tone, language, recipientName: name, signal })
      const by = { auth: await context.auth(), key, signal }
      return told(await deps.effects.mail.send({ ...letter, ...draft, channel, conversationId }, by))
    },
  )
}

function emailStatus({ effects }: Deps): BuiltinTool {
  return builtin(
    {
      ...{ name: 'get_email_status', kind: 'email.get_email_status', category: 'email', readOnly: true },
      description: 'Tells what has become of an e-mail.',
    },
    z.strictObject({ email: z.string().max(80).describe('Id that sending it gave') }),
    async ({ email }, { auth, signal }) => ({ ...(await effects.mail.status(email, { auth: await auth(), signal })) }),
  )
}

function told({ id, ...mailed }: Mailed): ToolResult {
  if (mailed.status === 'unknown') throw new EffectUnknown(mailed.reason ?? 'nothing is known of the e-mail')
  const isSent = mailed.status === 'sent'
  const error = { code: mailed.status, message: `The e-mail was not sent: ${mailed.reason ?? 'nobody knows why'}.` }
  return { email: id, ...mailed, ...(isSent ? {} : { error }) }
}
