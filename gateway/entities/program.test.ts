import { expect, test } from 'vitest'
import { parseTime, programOf } from './program.ts'

test.each([
  ['10:00', 600],
  ['10', 600],
  ['10am', 600],
  ['2:30 pm', 870],
  ['14.30', 870],
  ['12am', 0],
  ['12 p.m.', 720],
  ['24:00', undefined],
  ['10:75', undefined],
  ['13pm', undefined],
  ['ten', undefined],
  ['', undefined],
])('"%s" is %s minutes after midnight', (text, minutes) => {
  expect(parseTime(text)).toBe(minutes)
})

const session = (slug: string, over: object) => ({
  slug,
  data: {
    title: slug,
    abstract: '',
    track: 'Main',
    room: 'Hall',
    day: '2027-03-18',
    startsAt: '10:00',
    endsAt: '10:45',
    speakers: ['ann'],
    ...over,
  },
})
const ann = new Map([['ann', { name: 'Ann Lee', title: '', company: 'Co', bio: '', topics: [] }]])
const slugs = (query: object) =>
  programOf(
    [
      session('late', { startsAt: '11:00', endsAt: '11:45' }),
      session('ten', {}),
      session('design', { track: 'Design', speakers: ['gone'] }),
      session('next-day', { day: '2027-03-19' }),
    ],
    ann,
    query,
  ).map((each) => each.slug)

test('a session runs from its first minute to the one before its end', () => {
  expect(slugs({ atMinutes: 599 })).toEqual([])
  expect(slugs({ atMinutes: 600, day: '2027-03-18' })).toEqual(['design', 'ten'])
  expect(slugs({ atMinutes: 644, track: 'main' })).toEqual(['ten', 'next-day'])
  expect(slugs({ atMinutes: 645 })).toEqual([])
})

test('the program is in order of day and time, and found by part of a name', () => {
  expect(slugs({})).toEqual(['design', 'ten', 'late', 'next-day'])
  expect(slugs({ speaker: 'lee' })).toEqual(['ten', 'late', 'next-day'])
})

test('a speaker nobody knows keeps the slug as name', () => {
  const [item] = programOf([session('x', { speakers: ['gone'] })], ann, {})
  expect(item?.speakers).toEqual([{ slug: 'gone', name: 'gone', company: '' }])
})
