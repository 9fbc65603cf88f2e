// Visuals that ask the person for something.

import { text } from './blocks.ts'
import { listOf, object, oneOf, titleText, type Visual, visual, words } from './visual.ts'

const slots = visual<{ title: string; slots: readonly { id: string; label: string }[] }>({
  name: 'slots',
  title: 'Times to choose from',
  description:
    'Shows free times as buttons. Use it after a tool gave you free slots; the one that is pressed is told to you with its id.',
  schema: object(
    {
      title: titleText,
      slots: listOf(
        object(
          { id: words(80, 'Of the slot, as the tool gave it'), label: words(60, 'Day and time as people say it') },
          ['id', 'label'],
        ),
        30,
      ),
    },
    ['title', 'slots'],
  ),
  example: { title: 'When suits you?', slots: [{ id: '2027-03-18T10:00Z', label: 'Thursday 10:00' }] },
  blocks: ({ title: heading, slots: free }) => [
    ...text('heading', heading),
    { is: 'choices', label: heading, options: free.map(({ id, label }) => ({ text: label, values: { slot: id } })) },
  ],
})

const upload = visual<{ title: string; text?: string; kinds: readonly (keyof typeof fileKinds)[] }>({
  name: 'upload',
  title: 'Upload',
  description: 'Asks the person for one file of at most 256 KB: a picture, a PDF or a text.',
  schema: object(
    {
      title: titleText,
      text: words(300, 'What the file is for'),
      kinds: listOf(oneOf(['picture', 'pdf', 'text'], 'What may be sent'), 3),
    },
    ['title', 'kinds'],
  ),
  example: { title: 'Your floor plan', kinds: ['picture', 'pdf'] },
  blocks: ({ title: heading, text: about, kinds }, say) => [
    ...text('heading', heading),
    ...text('text', about),
    {
      is: 'upload',
      label: heading,
      button: say('Send file'),
      accept: kinds.flatMap((kind) => fileKinds[kind]),
      mostBytes: 256 * 1024,
    },
  ],
})

/** No SVG: it is a program. */
const fileKinds = {
  picture: ['image/png', 'image/jpeg', 'image/webp'],
  pdf: ['application/pdf'],
  text: ['text/plain', 'text/csv'],
} as const

export const askingVisuals: readonly Visual[] = [slots, upload]
