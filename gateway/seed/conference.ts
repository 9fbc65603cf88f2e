// Demo data: EventCo's conference. Invented people and talks; times are local to the venue.

import type { EntityInput } from '../entities/entities.ts'

export const conferenceSlug = 'voices-2027'

export const conference: EntityInput<'event'> = {
  name: 'Voices 2027',
  tagline: 'Two days on talking with machines, and people',
  description:
    'Voices brings together engineers, designers and operators who build agents people like to talk to. Three tracks, two days, coffee all the time.',
  venue: 'Harbour Hall',
  address: 'Pier 4, 20457 Hamburg',
  city: 'Hamburg',
  startsOn: '2027-03-18',
  endsOn: '2027-03-19',
  timezone: 'Europe/Berlin',
  tickets: 'Early bird 290 EUR until 31 January 2027, then 390 EUR. Students 90 EUR. Day ticket 220 EUR.',
  website: 'https://voices.example',
}

type SpeakerRow = readonly [slug: string, name: string, title: string, company: string, topics: string, bio: string]

const speakerRows: readonly SpeakerRow[] = [
  [
    'mira-okafor',
    'Mira Okafor',
    'Head of Voice',
    'Tidewater Labs',
    'voice, latency',
    'Mira spent ten years making phone calls feel short.',
  ],
  [
    'jonas-weber',
    'Jonas Weber',
    'Principal Engineer',
    'Nordlicht Systems',
    'audio, webrtc',
    'Jonas has debugged echo in more kitchens than he can count.',
  ],
  [
    'priya-raman',
    'Priya Raman',
    'Research Lead',
    'Open Dialogue Institute',
    'turn-taking, evaluation',
    'Priya studies how people take turns, and how machines could.',
  ],
  [
    'lucas-ferreira',
    'Lucas Ferreira',
    'Staff Designer',
    'Café Interface',
    'conversation design',
    'Lucas writes the words that agents say when nothing works.',
  ],
  [
    'aiko-tanaka',
    'Aiko Tanaka',
    'Founder',
    'Kotoba',
    'language, accessibility',
    'Aiko builds speech tools for languages that others forget.',
  ],
  [
    'samuel-adeyemi',
    'Samuel Adeyemi',
    'Site Reliability Engineer',
    'Lantern Cloud',
    'reliability, on-call',
    'Samuel kills servers for a living and likes it.',
  ],
  [
    'elena-marchetti',
    'Elena Marchetti',
    'Privacy Counsel',
    'Marchetti & Rossi',
    'privacy, consent',
    'Elena explains consent in one sentence, then in forty pages.',
  ],
  [
    'noah-lindqvist',
    'Noah Lindqvist',
    'Product Manager',
    'Fjord Bank',
    'banking, trust',
    'Noah put a voice agent into a bank and still has his job.',
  ],
  [
    'grace-mbeki',
    'Grace Mbeki',
    'Contact Centre Director',
    'Sunline Travel',
    'operations, handover',
    'Grace leads 400 people and eleven agents.',
  ],
  [
    'tomas-novak',
    'Tomáš Novák',
    'Open Source Maintainer',
    'independent',
    'open source, tooling',
    'Tomáš maintains the library you use and never read.',
  ],
]

export const speakers: readonly { readonly slug: string; readonly data: EntityInput<'speaker'> }[] = speakerRows.map(
  ([slug, name, title, company, topics, bio]) => ({
    slug,
    data: { name, title, company, bio, topics: topics.split(', ') },
  }),
)

type SessionRow = readonly [
  day: 1 | 2,
  from: string,
  to: string,
  track: string,
  title: string,
  by: string,
  abstract: string,
]

const rooms: Readonly<Record<string, string>> = { Main: 'Great Hall', Engineering: 'Dock A', Design: 'Dock B' }

const sessionRows: readonly SessionRow[] = [
  [
    1,
    '09:00',
    '09:45',
    'Main',
    'Opening: the sound of being understood',
    'mira-okafor',
    'What changed in a year, and what people still hang up on.',
  ],
  [
    1,
    '10:00',
    '10:45',
    'Engineering',
    'Two hundred milliseconds',
    'jonas-weber',
    'Where the time goes between the last word and the first answer.',
  ],
  [
    1,
    '10:00',
    '10:45',
    'Design',
    'Words for when nothing works',
    'lucas-ferreira',
    'Refusals, apologies and silence, written well.',
  ],
  [
    1,
    '11:00',
    '11:45',
    'Engineering',
    'Barge-in without tears',
    'priya-raman',
    'Interruptions measured at the ear, not at the model.',
  ],
  [
    1,
    '11:00',
    '11:45',
    'Design',
    'Small languages, large voices',
    'aiko-tanaka',
    'Speech for people whose language has no data set.',
  ],
  [1, '12:00', '13:15', 'Main', 'Lunch and open tables', '', 'Food on the pier; sit where a topic card invites you.'],
  [
    1,
    '13:30',
    '14:15',
    'Engineering',
    'Kill it at noon',
    'samuel-adeyemi',
    'Testing call recovery by ending processes while people talk.',
  ],
  [
    1,
    '13:30',
    '14:15',
    'Design',
    'Consent in one sentence',
    'elena-marchetti',
    'What must be said before recording, and how briefly.',
  ],
  [
    1,
    '14:30',
    '15:15',
    'Main',
    'A voice in the bank',
    'noah-lindqvist',
    'Eighteen months from pilot to a third of all calls.',
  ],
  [
    1,
    '16:00',
    '16:45',
    'Main',
    'Panel: who picks up when the agent gives up?',
    'grace-mbeki, noah-lindqvist, mira-okafor',
    'Handover between agents and people.',
  ],
  [2, '09:15', '10:00', 'Main', 'Measuring a good conversation', 'priya-raman', 'Why task success is not enough.'],
  [
    2,
    '10:00',
    '10:45',
    'Engineering',
    'The library you never read',
    'tomas-novak',
    'What maintainers see when your build breaks.',
  ],
  [
    2,
    '10:00',
    '10:45',
    'Design',
    'Four hundred people, eleven agents',
    'grace-mbeki',
    'Running a contact centre in which both work.',
  ],
  [
    2,
    '11:00',
    '11:45',
    'Engineering',
    'Audio on bad networks',
    'jonas-weber',
    'Jitter buffers, packet loss and honest progress bars.',
  ],
  [
    2,
    '11:00',
    '11:45',
    'Design',
    'Workshop: a greeting in ten words',
    'lucas-ferreira, aiko-tanaka',
    'Bring a greeting, leave with a shorter one.',
  ],
  [
    2,
    '13:00',
    '13:45',
    'Engineering',
    'Exactly once, or not at all',
    'samuel-adeyemi, tomas-novak',
    'Billing a call when everything around it restarts.',
  ],
  [
    2,
    '14:00',
    '14:45',
    'Main',
    'Privacy clinic',
    'elena-marchetti',
    'Bring your data flow; leave with three fewer boxes.',
  ],
  [
    2,
    '15:00',
    '15:45',
    'Main',
    'Closing: what we heard',
    'mira-okafor',
    'Two days in forty minutes, and next year’s date.',
  ],
]

export const sessions: readonly { readonly slug: string; readonly data: EntityInput<'session'> }[] = sessionRows.map(
  ([number, startsAt, endsAt, track, title, by, abstract]) => {
    const day = number === 1 ? conference.startsOn : conference.endsOn
    const slug = `d${number}-${startsAt.replace(':', '')}-${track.toLowerCase()}`
    const people = by === '' ? [] : by.split(', ')
    return {
      slug,
      data: { title, abstract, track, room: rooms[track] ?? track, day, startsAt, endsAt, speakers: people },
    }
  },
)
