// Frames of /v1/realtime as far as a chaos client reads them.

import { z } from 'zod'

const turn = z.object({
  itemId: z.string(),
  sessionId: z.string(),
  role: z.string(),
  state: z.string(),
  seq: z.number(),
  text: z.string(),
})
export type WireTurn = z.output<typeof turn>

const textual = z.object({ item_id: z.string(), delta: z.string() })

export const numbered = z.looseObject({ type: z.string(), seq: z.number().optional() })
export const frames = {
  session: z.object({
    session_id: z.string(),
    epoch: z.number(),
    seq: z.number(),
    history: z.array(turn),
    resume: z.object({ token: z.string(), window_ms: z.number() }),
    resumed: z.object({ gap: z.boolean() }).optional(),
  }),
  turn: z.object({ turn }),
  committed: z.object({ item_ids: z.array(z.string()) }),
  goingAway: z.object({ reconnect_in_ms: z.number(), deadline_ms: z.number() }),
  end: z.object({ reason: z.string() }),
  heartbeat: z.object({ n: z.number() }),
  flush: z.object({ item_id: z.string() }),
  textDelta: textual,
  audioDelta: textual,
  textDone: z.object({ item_id: z.string(), text: z.string().optional(), transcript: z.string().optional() }),
  itemOnly: z.object({ item_id: z.string() }),
  error: z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
} as const

/** Sent without a number, and never replayed. */
export const unnumbered: ReadonlySet<string> = new Set([
  'session.created',
  'parley.session',
  'parley.heartbeat',
  'response.output_audio.delta',
])
