import { expect, test } from 'vitest'
import { ManualClock } from '../../test/harness/clock.ts'
import { StillChecking } from './still-checking.ts'

function setup(language = 'en') {
  const clock = new ManualClock()
  const said: string[] = []
  let quiet = true
  const still = new StillChecking({
    ...{ clock, language, mayAgentSpeak: () => quiet },
    engine: {
      send(command) {
        if (command.type === 'say') said.push(command.text)
        return { is: 'accepted' }
      },
    },
  })
  return { clock, said, still, hush: (on: boolean) => (quiet = on) }
}

test('[S48] after three seconds the agent says that it is still checking, and again every ten', async () => {
  const { clock, said, still } = setup()
  still.begin()
  await clock.advance(2_900)
  expect(said).toEqual([])
  await clock.advance(200)
  expect(said).toEqual(['I am still checking, one moment please.'])
  await clock.advance(9_000)
  expect(said).toHaveLength(1)
  await clock.advance(11_500)
  expect(said.slice(1)).toEqual(Array(2).fill('This is taking a little longer, thank you for waiting.'))
  still.end()
  await clock.advance(60_000)
  expect(said).toHaveLength(3)
})

test('[S48] a tool that is quick is not spoken of', async () => {
  const { clock, said, still } = setup()
  for (let n = 0; n < 5; n++) {
    still.begin()
    await clock.advance(2_500)
    still.end()
  }
  expect(said).toEqual([])
})

test('[S48] nobody is interrupted: it is said when it has been quiet for a while', async () => {
  const { clock, said, still, hush } = setup('de-CH')
  hush(false)
  still.begin()
  await clock.advance(8_000)
  expect(said).toEqual([])
  hush(true)
  await clock.advance(1_000)
  expect(said).toEqual([])
  await clock.advance(1_000)
  expect(said).toEqual(['Ich sehe noch nach, einen Moment bitte.'])
})

test('[S48] in a language that has no words here nothing is said', async () => {
  const { clock, said, still } = setup('fi')
  still.begin()
  await clock.advance(30_000)
  expect(said).toEqual([])
})
