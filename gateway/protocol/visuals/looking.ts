// Visuals of looking at something: cards, numbers, places, people.

import { image, link, type Money, text } from './blocks.ts'
import {
  address,
  currency,
  listOf,
  minor,
  mostCards,
  object,
  oneOf,
  titleText,
  type Visual,
  visual,
  words,
} from './visual.ts'

interface CarouselItem {
  readonly title: string
  readonly text?: string
  readonly imageUrl?: string
  readonly url?: string
  readonly price?: Money
}

const carousel = visual<{ items: readonly CarouselItem[]; title?: string; layout?: 'carousel' | 'grid' | 'list' }>({
  name: 'carousel',
  title: 'Carousel',
  description:
    'Shows several things with a title, a text, a picture or a link as cards. Use it for what a tool found that is no product of this business’s own. Give only what a tool gave you.',
  schema: object(
    {
      title: titleText,
      layout: oneOf(['carousel', 'grid', 'list'], 'How the cards stand. Left out: carousel.'),
      items: listOf(
        object(
          {
            title: words(120, 'Name'),
            text: words(300, 'A sentence about it'),
            imageUrl: address('Of a picture'),
            url: address('Of a page about it'),
            price: object({ minor, currency }, ['minor', 'currency']),
          },
          ['title'],
        ),
        mostCards,
      ),
    },
    ['items'],
  ),
  example: {
    title: 'Nearby',
    items: [{ title: 'Pier Hotel', text: 'Ten minutes on foot.', url: 'https://pier.example/' }],
  },
  blocks: ({ items, title: heading, layout = 'carousel' }, say) => [
    ...text('heading', heading),
    {
      is: 'cards',
      layout,
      label: heading ?? say('Suggestions'),
      cards: items.map((each) => [
        ...image(each.imageUrl, each.title),
        ...text('heading', each.title),
        ...(each.price === undefined ? [] : [{ is: 'price', ...each.price } as const]),
        ...text('soft', each.text),
        ...link(each.url, say('Open')),
      ]),
    },
  ],
})

const chart = visual<{
  title: string
  kind: 'bar' | 'line'
  unit?: string
  points: readonly { label: string; value: number }[]
}>({
  name: 'chart',
  title: 'Chart',
  description: 'Draws numbers that a tool gave you as bars or as a line. Never draw numbers that you made up.',
  schema: object(
    {
      title: titleText,
      kind: oneOf(['bar', 'line'], 'Bars compare things, a line shows how one goes on in time'),
      unit: words(20, 'Of the numbers, e.g. USD'),
      points: listOf(
        object(
          { label: words(40, 'Below the bar or point'), value: { type: 'number', minimum: -1e12, maximum: 1e12 } },
          ['label', 'value'],
        ),
        24,
      ),
    },
    ['title', 'kind', 'points'],
  ),
  example: {
    ...{ title: 'Sofas by price', kind: 'bar', unit: 'pieces' },
    points: [
      { label: 'under 500', value: 4 },
      { label: '500 to 1000', value: 7 },
    ],
  },
  blocks: ({ title: heading, kind, unit = '', points }) => [
    ...text('heading', heading),
    { is: 'chart', kind, label: heading, unit, points },
  ],
})

const mapLink = visual<{ name: string; place: string }>({
  name: 'map_link',
  title: 'Map link',
  description: 'Shows where a place is, with a button that opens a map. Use it when somebody asks for the way.',
  schema: object({ name: words(120, 'What is there'), place: words(300, 'Address, as one writes it on a letter') }, [
    'name',
    'place',
  ]),
  example: { name: 'Harbour Hall', place: 'Pier 4, 20457 Hamburg' },
  blocks: ({ name, place }, say) => [
    ...text('heading', name),
    ...text('text', place),
    // The host is ours, the place is a value in it: there is nowhere else to be led to.
    ...link(`https://www.openstreetmap.org/search?query=${encodeURIComponent(place)}`, say('Open the map'), 'button'),
  ],
})

interface SpeakerCard {
  readonly name: string
  readonly role: string
  readonly topics: string
  readonly text: string
}

const speakers = visual<{ speakers: readonly SpeakerCard[] }>({
  name: 'speakers',
  title: 'Speakers',
  description: 'Shows speakers of the event with what they do and talk about. Use it when somebody asks who speaks.',
  schema: object({ names: listOf(words(120, 'Name or slug of a speaker'), mostCards) }, ['names']),
  example: {
    speakers: [
      {
        name: 'Mira Okafor',
        role: 'Head of Voice, Tidewater Labs',
        topics: 'voice, latency',
        text: 'Ten years of calls.',
      },
    ],
  },
  blocks: ({ speakers: people }, say) => [
    {
      is: 'cards',
      layout: 'list',
      label: say('Speakers'),
      cards: people.map((each) => [
        ...text('heading', each.name),
        ...text('text', each.role),
        ...text('soft', each.topics),
        ...text('soft', each.text),
      ]),
    },
  ],
})

export const lookingVisuals: readonly Visual[] = [carousel, chart, mapLink, speakers]
