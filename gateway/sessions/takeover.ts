// A client that comes back: to the session in this process, or to one that another process owned. Rules S16–S21.

import { withDeadline } from '../platform/deadline.ts'
import { Problem } from '../platform/problem.ts'
import type { Admission, UsageSoFar } from '../usage/usage.ts'
import { assemble, type Before, type Deps } from './assemble.ts'
import type { LiveSession } from './live.ts'
import type { NodeMessage } from './nodes.ts'
import { historyTurns, openEngine } from './opening.ts'
import { mended, recoveryOf } from './recovery.ts'
import type { Opened, Resumed, ResumeRequest } from './request.ts'
import { checkToken, newResumeToken, ResumeKey, rotated } from './resume-token.ts'
import type { Returns } from './returns.ts'
import type { Resumable } from './store.ts'

/** A store that is slow must not keep a client from its session: the token in memory is the owner's truth. */
const rotateMs = 300
/** An owner that lives lets go at the end of a sentence (2 s at most) and stores what is pending (3 s at most). */
const releaseMs = 5_500
const releasePollMs = 40
/** Of several processes that are asked for one session at once each can be overtaken by each. */
const claimTries = 3

export function resumeSession(deps: Deps & { readonly returns: Returns }, request: ResumeRequest): Promise<Resumed> {
  return deps.returns.next(request.sessionId, (isPassed) =>
    resumeNext(deps, { ...request, isGone: () => isPassed() || request.isGone() }),
  )
}

async function resumeNext(deps: Deps, request: ResumeRequest): Promise<Resumed> {
  stillWanted(request)
  const here = deps.live.get(request.tenantId, request.sessionId)
  if (here?.session.isLeaving === true) {
    const left = here.session.ended
    await withDeadline(left, { timeoutMs: releaseMs, clock: deps.clock, fallback: () => undefined })
  } else if (here !== undefined) {
    const resumeToken = await resumeHere(deps, request, here)
    if (resumeToken !== undefined) return { is: 'here', resumeToken }
  }
  return { is: 'taken', opened: await takeOver(deps, request) }
}

/** A newer connection, of a client that gave this one up, is not robbed of its session. */
function stillWanted({ isGone }: ResumeRequest): void {
  if (isGone()) throw new Problem('replaced')
}

/** Undefined: another process owns the session now. */
async function resumeHere(deps: Deps, request: ResumeRequest, here: LiveSession): Promise<string | undefined> {
  const { session, resume } = here
  if (here.contactId !== request.contactId || here.agentId !== request.brief.agentId) throw new Problem('not_found')
  if (resume === undefined || session.state === 'ended') throw new Problem('gone')
  const answer = resume.check(request.token)
  if (answer === 'stolen') {
    session.dispatch({ is: 'stolen' })
    throw theft(deps, request)
  }
  if (answer === 'unknown') {
    if (await deps.store.owns(request.tenantId, request.sessionId, here.epoch)) throw new Problem('gone')
    session.dispatch({ is: 'fenced' })
    return undefined
  }
  const next = resume.rotate(request.token)
  const stored = deps.store
    .rotate(request.tenantId, request.sessionId, { epoch: here.epoch, resume: resume.state })
    .catch(() => true)
  if (!(await withDeadline(stored, { timeoutMs: rotateMs, clock: deps.clock, fallback: () => true }))) {
    session.dispatch({ is: 'fenced' })
    return undefined
  }
  return next
}

function theft(deps: Deps, { tenantId, sessionId }: ResumeRequest): Problem {
  deps.log.warn({ event: 'resume_token_reused', tenantId, sessionId }, 'a spent resume token was shown: session closed')
  return new Problem('forbidden')
}

async function takeOver(deps: Deps, request: ResumeRequest): Promise<Opened> {
  const { tenantId, sessionId } = request
  let last = await find(deps, request)
  for (let tries = 0; tries < claimTries; tries++) {
    const left = await released(deps, request, last)
    stillWanted(request)
    const resumeToken = newResumeToken()
    const state = rotated(request.token, resumeToken)
    const claim = { fromEpoch: left.epoch, owner: deps.nodeId, resume: state }
    // The heartbeat first: an owner that wakes up once its hold is taken tells of time in which it served nobody.
    const [found, beat] = await Promise.all([
      deps.store.claim(tenantId, sessionId, claim),
      deps.usage.lastBeat({ tenantId, sessionId }),
    ])
    if (found === undefined) {
      last = await findAgain(deps, request)
      continue
    }
    const admission = await takeHold(deps, request, found)
    if (admission === undefined) throw new Problem('gone')
    return goOn(deps, request, { left, found, beat, admission, resumeToken, resume: new ResumeKey(state) })
  }
  throw new Problem('gone')
}

async function find(deps: Deps, request: ResumeRequest): Promise<Resumable> {
  const { found, answer } = await look(deps, request)
  if (answer === 'stolen') {
    await deps.bus.tell(found.owner, told('stolen', request))
    throw theft(deps, request)
  }
  return found
}

/** The token was good when it was shown: if it is not any more, another connection of the same client was faster. */
async function findAgain(deps: Deps, request: ResumeRequest): Promise<Resumable> {
  stillWanted(request)
  const { found, answer } = await look(deps, request)
  if (answer === 'stolen') throw new Problem('replaced')
  return found
}

async function look(
  deps: Deps,
  request: ResumeRequest,
): Promise<{ readonly found: Resumable; readonly answer: 'good' | 'stolen' }> {
  const found = await deps.store.resumable(request.tenantId, request.sessionId)
  if (found === undefined) throw new Problem('gone')
  const { view } = found
  if (view.contactId !== request.contactId || view.agent.id !== request.brief.agentId) throw new Problem('not_found')
  const answer = checkToken(found.resume, request.token)
  if (answer === 'unknown') throw new Problem('gone')
  return { found, answer }
}

function told(what: 'release' | 'stolen', { tenantId, sessionId }: ResumeRequest): NodeMessage {
  return { do: what, tenantId, sessionId }
}

/** Asks an owner that lives to let go; of one that does not answer the session is taken as it is stored. */
async function released(deps: Deps, request: ResumeRequest, found: Resumable): Promise<Resumable> {
  if (found.released || found.owner === deps.nodeId) return found
  if ((await deps.bus.tell(found.owner, told('release', request))) === 0) return found
  const until = deps.clock.monotonicMs() + releaseMs
  let last = found
  while (!last.released && deps.clock.monotonicMs() < until) {
    await new Promise<void>((resolve) => deps.clock.after(releasePollMs, resolve))
    last = await findAgain(deps, request)
  }
  return last
}

/**
 * The hold's own epoch may lag behind the session's by takeovers that died between the two: the newest that is there
 * counts. Undefined: the hold was settled, the session is over.
 */
async function takeHold(deps: Deps, request: ResumeRequest, found: Resumable): Promise<Admission | undefined> {
  const ledger = deps.ledger.of(request.tenantId)
  for (let fromEpoch = found.epoch - 1; fromEpoch >= 1; fromEpoch--) {
    const answer = await ledger.takeOver({ holdId: found.holdId, fromEpoch, owner: deps.nodeId })
    if (answer.is !== 'owned') continue
    const hold = (await ledger.credits()).holds.find((each) => each.id === found.holdId)
    if (hold === undefined) return undefined
    return { holdId: found.holdId, epoch: answer.epoch, heldMicro: hold.amountMicro, price: found.price }
  }
  return undefined
}

interface Taken {
  readonly left: Resumable
  readonly found: Resumable
  readonly beat: Awaited<ReturnType<Deps['usage']['lastBeat']>>
  readonly admission: Admission
  readonly resumeToken: string
  readonly resume: ResumeKey
}

/** A deploy in between changes nothing for who is in the middle of a conversation. */
async function asBegun(request: ResumeRequest, { agent }: Resumable['view']): Promise<ResumeRequest> {
  const isSame = agent.version === undefined || agent.version === request.brief.version
  const brief = isSame || agent.version === undefined ? undefined : await request.briefAt?.(agent.version)
  return brief === undefined ? request : { ...request, brief }
}

async function goOn(deps: Deps, resumed: ResumeRequest, taken: Taken): Promise<Opened> {
  const { found, left, beat, admission, resume } = taken
  const request = await asBegun(resumed, found.view)
  const { tenantId, brief, sessionId } = request
  const transcript = deps.transcript.of(tenantId)
  // The owner before may only be frozen: from here on it changes no turn.
  await transcript.fence(sessionId, { epoch: found.epoch })
  // Frames of an owner that died are lost; its number at least is nothing a client may take for ours.
  const isWhole = left.released && left.frames !== undefined
  if (isWhole) request.leg.restore(left.frames ?? [], left.lastSeq)
  const [stored, earlier, offered] = await Promise.all([
    transcript.ofSession(sessionId),
    transcript.ofConversation(found.view.conversationId, historyTurns),
    deps.tools.brief(tenantId, brief),
  ])
  const turns = mended(stored)
  const history = [...earlier.filter((turn) => turn.sessionId !== sessionId), ...turns].toSorted(
    (a, b) => a.seq - b.seq,
  )
  const used = beat?.epoch === admission.epoch - 1 ? later(found.used, beat.usage) : found.used
  const before: Before = {
    stored,
    turns,
    used,
    freeGapMs: found.freeGapMs,
    // Of the figures that count; a heartbeat later than the checkpoint has none of its own.
    aheadMs: used.seconds === found.used.seconds ? found.aheadMs : 0,
    recovery: recoveryOf(stored, found.voice),
  }
  const asked = { ...request, outputModality: found.voice ? ('audio' as const) : request.outputModality }
  const { engine, connect } = openEngine(deps, {
    request: asked,
    sessionId,
    offered,
    history,
    choice: deps.enginesFor(asked.brief),
  })
  const serverTools = new Set(offered.tools.map((tool) => tool.name))
  const view = { ...found.view, state: 'opening' as const }
  const { epoch } = found
  const assembled = assemble(deps, { request, view, epoch, admission, engine, serverTools, history, resume, before })
  connect(assembled)
  const { unplayed } = before.recovery
  if (unplayed !== undefined) assembled.session.talk.restore(unplayed)
  deps.log.info({ tenantId, sessionId, epoch, released: left.released }, 'session taken over')
  return {
    sessionId,
    conversationId: view.conversationId,
    history,
    engine: view.engine,
    epoch,
    resumeToken: taken.resumeToken,
    resumed: { voice: found.voice, ...(isWhole ? { lastSeq: request.lastSeq } : {}) },
    serverTools: offered.tools,
    port: assembled.session,
    start: () => assembled.session.start(),
  }
}

/** Both are cumulative: per figure the greater is the later. */
function later(a: UsageSoFar, b: UsageSoFar): UsageSoFar {
  return {
    seconds: Math.max(a.seconds, b.seconds),
    toolCalls: Math.max(a.toolCalls, b.toolCalls),
    messages: Math.max(a.messages ?? 0, b.messages ?? 0),
    meters: laterEach(a.meters, b.meters),
    tools: laterEach(a.tools ?? {}, b.tools ?? {}),
  }
}

type Figures = Readonly<Record<string, number>>

function laterEach(a: Figures, b: Figures): Figures {
  const all: Record<string, number> = { ...a }
  for (const [name, quantity] of Object.entries(b)) all[name] = Math.max(all[name] ?? 0, quantity)
  return all
}
