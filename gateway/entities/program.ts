// The program of a conference: who speaks when. Pure.

import type { ConferenceSession, Speaker } from './entity.ts'

export interface ProgramQuery {
  /** Minutes after midnight, local to the event: sessions running then. */
  readonly atMinutes?: number | undefined
  /** `YYYY-MM-DD` */
  readonly day?: string | undefined
  readonly track?: string | undefined
  /** Part of a speaker's name, or the slug. */
  readonly speaker?: string | undefined
}

export interface ProgramItem extends Omit<ConferenceSession, 'speakers'> {
  readonly slug: string
  readonly speakers: readonly { readonly slug: string; readonly name: string; readonly company: string }[]
}

/** `10:00`, `10`, `10am`, `2:30 pm`, `14.30` → minutes after midnight; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const match = /^\s*(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.)?\s*$/i.exec(text)
  if (match === null) return undefined
  const half = match[3]?.toLowerCase().charAt(0)
  const minute = Number(match[2] ?? 0)
  let hour = Number(match[1])
  if (half !== undefined && (hour < 1 || hour > 12)) return undefined
  if (half === 'p' && hour < 12) hour += 12
  if (half === 'a' && hour === 12) hour = 0
  return hour < 24 && minute < 60 ? hour * 60 + minute : undefined
}

export function programOf(
  sessions: readonly { readonly slug: string; readonly data: ConferenceSession }[],
  speakers: ReadonlyMap<string, Speaker>,
  query: ProgramQuery,
): ProgramItem[] {
  return sessions
    .map(({ slug, data }) => ({
      ...data,
      slug,
      speakers: data.speakers.map((id) => {
        const known = speakers.get(id)
        return { slug: id, name: known?.name ?? id, company: known?.company ?? '' }
      }),
    }))
    .filter((item) => fits(item, query))
    .sort((a, b) => order(a).localeCompare(order(b)))
}

const order = (item: ProgramItem) => `${item.day} ${item.startsAt} ${item.track} ${item.slug}`

function fits(item: ProgramItem, query: ProgramQuery): boolean {
  const { atMinutes, day, track, speaker } = query
  if (day !== undefined && item.day !== day) return false
  if (track !== undefined && item.track.toLowerCase() !== track.trim().toLowerCase()) return false
  if (speaker !== undefined) {
    const wanted = speaker.trim().toLowerCase()
    if (!item.speakers.some((each) => each.slug === wanted || each.name.toLowerCase().includes(wanted))) return false
  }
  if (atMinutes === undefined) return true
  // Running at that minute: the one that ends then is over.
  return minutes(item.startsAt) <= atMinutes && atMinutes < minutes(item.endsAt)
}

const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
