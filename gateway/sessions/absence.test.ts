import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import type { EngineCommand } from '../engines/engines.ts'
import { Absence } from './absence.ts'

function setup(talk: { responding?: boolean; rest?: string } = {}) {
  const clock = new ManualClock()
  const done: string[] = []
  const commands: EngineCommand[] = []
  const present = { responding: talk.responding ?? false }
  const absence = new Absence({
    clock,
    budget: { away: (atMs) => void done.push(`away ${atMs}`), back: () => void done.push('back') },
    talk: {
      lost: () => void done.push('lost'),
      here: () => void done.push('here'),
      get responding() {
        return present.responding
      },
      restUnplayed: () => talk.rest ?? '',
    },
    engine: {
      send(command) {
        commands.push(command)
        return { is: 'accepted' }
      },
    },
    onWindowOver: () => void done.push('over'),
    onSilent: () => void done.push('silent'),
  })
  return { clock, done, commands, present, absence }
}

test('[S16] a written conversation waits two minutes for its client, a call 45 s', async () => {
  for (const [voice, windowMs] of [
    [false, 120_000],
    [true, 45_000],
  ] as const) {
    const { clock, done, absence } = setup()
    absence.begin(7, voice)
    expect(done).toEqual(['lost', 'away 7'])
    await clock.advance(windowMs - 1)
    expect(done).not.toContain('over')
    await clock.advance(1)
    expect(done).toContain('over')
  }
})

test('[S16] who is back in time is not given up', async () => {
  const { clock, done, absence } = setup()
  absence.begin(0, true)
  await clock.advance(44_000)
  absence.end(false)
  await clock.advance(200_000)
  expect(done).toEqual(['lost', 'away 0', 'back', 'here'])
})

test('[S21] a call that goes on hears the rest of the cut answer at once, or when its making is over', () => {
  const first = setup({ rest: 'at six.' })
  first.absence.begin(0, true)
  first.absence.end(true)
  expect(first.absence.voice(true)).toBe(true)
  expect(first.commands).toEqual([{ type: 'say', text: 'at six.' }])

  const second = setup({ rest: 'at six.', responding: true })
  second.absence.begin(0, true)
  second.absence.end(true)
  expect(second.absence.voice(true)).toBe(true)
  expect(second.commands).toEqual([])
  second.absence.responseDone()
  second.absence.responseDone()
  expect(second.commands).toEqual([{ type: 'say', text: 'at six.' }])
})

test('[S21] a page that was reloaded does not open its microphone by itself: from then on it is a written conversation', async () => {
  const { clock, done, commands, absence } = setup({ rest: 'at six.' })
  absence.begin(0, true)
  absence.end(true)
  await clock.advance(3_000)
  expect(done.at(-1)).toBe('silent')
  expect(absence.voice(true)).toBe(false)
  expect(commands).toEqual([])
})
