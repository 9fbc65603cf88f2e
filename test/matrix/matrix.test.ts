// Every engine, over every transport, doing everything: each cell works, or a client is told by name that it cannot be.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../harness/browser.ts'
import { ScriptedPeer } from '../harness/scripted-peer.ts'
import { doing, type Scene } from './actions.ts'
import { type Caller, callBySocket } from './caller.ts'
import {
  actions,
  type Cell,
  type EngineName,
  engines,
  expected,
  rowsOf,
  type TransportName,
  transports,
} from './cells.ts'
import { type PageCaller, Phone } from './page.ts'
import { openPlace, type Place, setAgent } from './place.ts'

// biome-ignore lint/style/noProcessEnv: a switch of the test run, not of the program
const isWanted = process.env.TEST_MATRIX === '1'
if (!isWanted) process.stderr.write('matrix: not run, because it takes seven minutes and more: set TEST_MATRIX=1\n')

const seen = new Map<string, Cell>()
let browser: Browser

beforeAll(async () => {
  if (isWanted) browser = await openBrowser()
})
afterAll(async () => {
  if (!isWanted) return
  await browser.close()
  const rows = rowsOf((...cell) => seen.get(cell.join('/')) ?? '–')
  process.stdout.write(`\n${rows.join('\n')}\n`)
  expect(ScriptedPeer.open).toBe(0)
})

describe.skipIf(!isWanted).each(engines)('%s', (engine) => {
  let place: Place
  let phone: Phone
  beforeAll(async () => {
    place = await openPlace(engine)
    phone = await Phone.open(browser, place.gateway)
  })
  afterAll(async () => {
    await phone.close()
    await place[Symbol.asyncDispose]()
  })

  describe.each(transports)('over %s', (transport) => {
    let answeredBy: Promise<string> | undefined
    beforeAll(() => setAgent(place.gateway, transport === 'direct' ? 'direct' : 'relayed'))

    test.each(actions)('%s', async (action) => {
      const cell = expected(engine, transport)
      if (cell === 'ok') await doing[action](sceneOf(engine, transport))
      else {
        answeredBy ??= mediaOf()
        expect(`cannot x-parley-media: ${await answeredBy}`).toBe(cell)
      }
      seen.set([engine, transport, action].join('/'), cell)
    })
  })

  function sceneOf(_: EngineName, transport: TransportName): Scene {
    const call = {
      websocket: () => callBySocket(place.gateway),
      webrtc: () => phone.call(),
      direct: async (): Promise<Caller> => {
        const caller = await directCall(engine)
        expect(caller.media).toBe('direct')
        return caller
      },
    }[transport]
    return { engine, place, call }
  }

  /** Who answers a call that may go past the gateway. */
  async function mediaOf(): Promise<string> {
    await using call = await directCall(engine)
    return call.media
  }

  /** GPT-Live's events are no stock client's: past us it is only for a client of ours. */
  function directCall(answerer: EngineName): Promise<PageCaller> {
    return answerer === 'openai-live' ? phone.callBeside() : phone.call()
  }
})
