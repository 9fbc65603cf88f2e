// An agent that passes messages on: what is asked for, and whose matter that is. Whoever answers does it with its own prompt, tools
// and models, under the one message: stored once, billed once.

import type { Agent, Brief } from '../../agents/agents.ts'
import type { ClassifyOption, TextUse } from '../../engines/engines.ts'
import type { ChatDeps } from '../deps.ts'
import { noProgress, type Progress } from '../inbound.ts'
import type { Job } from '../job.ts'
import type { Delegation } from '../message.ts'
import { wishFor } from './model.ts'
import { took } from './took.ts'

/** A message is passed on twice at most, and never to one that had it. */
export const maxDepth = 2
const aboutChars = 600

type Needs = Pick<ChatDeps, 'agents' | 'models'>

/** The brief that answers. Decided once for a message: an owner who comes later finds the decision. */
export async function delegated(
  deps: Needs,
  job: Job,
  { brief, signal }: { readonly brief: Brief; readonly signal: AbortSignal },
): Promise<Brief> {
  const known = job.inbound.delegations
  if (known !== undefined) return knownBrief(deps, job, { brief, known })
  if (brief.delegates.length === 0) return brief
  let answering = brief
  let progress = job.inbound.progress ?? noProgress
  const hops: Delegation[] = []
  while (hops.length < maxDepth) {
    const had = [brief.slug, ...hops.map(({ to }) => to)]
    const others = await candidates(deps, job, { answering, had })
    if (others.length === 0) break
    const found = await classified(deps, job, { answering, others, signal, progress })
    ;({ progress } = found)
    job.on({ type: 'intent', ...found.intent })
    job.note('intent', `${found.intent.intent} (${found.intent.by}, ${found.intent.certainty.toFixed(2)})`)
    const to = found.intent.agent === null ? undefined : await briefOf(deps, job, found.intent.agent)
    if (to === undefined) break
    const hop = {
      from: answering.slug,
      to: to.slug,
      name: to.name,
      intent: found.intent.intent,
      depth: hops.length + 1,
    }
    hops.push(hop)
    job.on({ type: 'delegation', ...hop })
    job.note('delegation', `${hop.from} to ${hop.to}: ${hop.intent}`)
    answering = to
  }
  await job.save({ delegations: hops, progress })
  return answering
}

/** One that is gone meanwhile does not answer: the agent does it itself. */
async function knownBrief(
  deps: Needs,
  job: Job,
  { brief, known }: { readonly brief: Brief; readonly known: readonly Delegation[] },
): Promise<Brief> {
  for (const hop of known) job.on({ type: 'delegation', ...hop })
  const last = known.at(-1)
  return last === undefined ? brief : ((await briefOf(deps, job, last.to)) ?? brief)
}

async function briefOf({ agents }: Needs, { inbound }: Job, slug: string): Promise<Brief | undefined> {
  const { tenantId, channel, asked, contactId } = inbound
  const agent = await agents.of(tenantId).bySlug(slug)
  if (agent === undefined) return undefined
  return agents.resolve({ tenantId, agentId: agent.id, channel, trusted: asked.trusted, contactId })
}

async function candidates(
  { agents }: Needs,
  { inbound }: Job,
  { answering, had }: { readonly answering: Brief; readonly had: readonly string[] },
): Promise<readonly Agent[]> {
  const { delegates } = answering
  if (delegates.length === 0) return []
  const isMeant = ({ slug, status, live }: Agent) =>
    status === 'active' &&
    live !== undefined &&
    !had.includes(slug) &&
    (delegates === 'all' || delegates.includes(slug))
  return (await agents.of(inbound.tenantId).list()).filter(isMeant)
}

function aboutOf({ name, subtype, live }: Agent): string {
  if (live === undefined) return name
  const { displayName, systemPrompt, faqEntries, enabledTools } = live
  const parts = [
    ...[name, displayName, subtype.replaceAll('_', ' '), systemPrompt.slice(0, aboutChars)],
    ...faqEntries.slice(0, 10).map(({ question }) => question),
    enabledTools.map((tool) => tool.replaceAll('_', ' ')).join(', '),
  ]
  return parts.filter((part) => part !== '').join('. ')
}

interface Found {
  readonly intent: {
    readonly intent: string
    readonly agent: string | null
    readonly certainty: number
    readonly by: 'model' | 'words'
  }
  readonly progress: Progress
}

async function classified(
  { models }: Needs,
  { inbound }: Job,
  on: {
    readonly answering: Brief
    readonly others: readonly Agent[]
    readonly signal: AbortSignal
    readonly progress: Progress
  },
): Promise<Found> {
  const options: ClassifyOption[] = on.others.map((each) => ({ name: each.slug, about: aboutOf(each) }))
  const { tenantId, asked } = inbound
  let { progress } = on
  const used = (use: TextUse) => {
    progress = { ...progress, ...took(progress, use) }
  }
  const chain = models.chain({ ...wishFor(on.answering), purpose: 'cheap' })
  const question = { tenantId, text: asked.text, options }
  const { option: agent, ...rest } = await models.classify(chain, { signal: on.signal, used, question })
  return { intent: { agent, ...rest }, progress }
}
