// What callers in a process of their own are asked to do, and what they tell.

import { z } from 'zod'

export const plan = z.object({
  url: z.string(),
  token: z.string(),
  peers: z.number(),
  rounds: z.number(),
  loss: z.number(),
  seed: z.number(),
  /** PCM16 24 kHz. */
  question: z.string(),
})

export const report = z.object({
  peers: z.array(
    z.object({
      connectMs: z.number(),
      /** Of each answer: from the last word of the question to the first sound. */
      firstSoundMs: z.array(z.number()),
      /** Of each answer: what was heard of it, and the silences within. */
      heardMs: z.array(z.number()),
      gapsMs: z.array(z.array(z.number())),
      lost: z.number(),
      passed: z.number(),
      error: z.string().optional(),
    }),
  ),
})

export type PeerPlan = z.output<typeof plan>
export type PeerReport = z.output<typeof report>['peers'][number]
