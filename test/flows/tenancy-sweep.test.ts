// Made of the route table: what one tenant's credential does with another tenant's things, on every route. A route without
// a case in test/surface/cases/ fails `npm run check`.

import type { Document } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Route } from '../../gateway/platform/http.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'
import { ask, Things, type Told, unknown, unknownIds } from '../surface/ask.ts'
import type { ById, RouteCase } from '../surface/case.ts'
import { cases } from '../surface/cases.ts'
import { caseProblems, nameOf } from '../surface/check-cases.ts'
import { openPlace, type Place } from '../surface/plant.ts'
import { snapshotOf } from '../surface/snapshot.ts'
import { compareMs } from '../surface/timing.ts'

// It grows with the table.
vi.setConfig({ testTimeout: 300_000 })

/** Of each kind, per route. */
const samples = 8

let gateway: TestGateway
let alpha: Place
let bravo: Place
let own: Things
let foreign: Things
const commands: string[] = []

beforeAll(async () => {
  gateway = await startGateway(
    { PARLEY_RATE_FACTOR: '10000', PARLEY_DEMO: 'false' },
    {
      onCommand(name, command) {
        const shape = shapeOf(name, command)
        // The queue of jobs asks every second, for nobody: no route asks like that.
        if (shape !== 'findAndModify queued_jobs turnAt') commands.push(shape)
      },
    },
  )
  alpha = await openPlace(gateway, 'alpha')
  bravo = await openPlace(gateway, 'bravo')
  own = new Things(alpha)
  foreign = new Things(bravo)
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** What the store is asked, without the values. */
function shapeOf(name: string, command: Document): string {
  const filter = command.filter ?? command.query ?? command.updates?.[0]?.q ?? command.deletes?.[0]?.q ?? {}
  return `${name} ${String(command[name])} ${Object.keys(filter).sort().join(' ')}`
}

type Swept<C extends RouteCase = RouteCase> = readonly [name: string, route: Route, known: C]

function swept<C extends RouteCase>(is: C['is'], pick: (known: RouteCase) => known is C): readonly Swept<C>[] {
  const found = gateway.app.routes.flatMap((route): Swept<C>[] => {
    const known = cases[nameOf(route)]
    return known?.is === is && pick(known) ? [[nameOf(route), route, known]] : []
  })
  if (found.length === 0) throw new Error('the sweep is blind')
  return found
}

const isById = (known: RouteCase): known is ById & RouteCase => known.is === 'byId'
const byId = () => swept('byId', isById)

/** Every route is tried; all that is wrong is told at once. */
async function sweep<T extends Swept>(
  all: readonly T[],
  wrong: (each: T) => Promise<readonly string[]>,
): Promise<void> {
  const found: string[] = []
  for (const each of all) found.push(...(await wrong(each)).map((text) => `${each[0]}: ${text}`))
  expect(found).toEqual([])
}

const madeOf = (known: ById, params: Record<string, string>) => ({ params, query: known.query, body: known.body })
const thingsOf = (params: ById['params']): readonly string[] =>
  Object.keys(params).filter((name) => params[name]?.startsWith('=') === false)
const isNotFound = (told: Told): boolean => told.status === 404 && /"(not_found|unknown_agent)"/.test(told.text)

function leaks(told: Told): readonly string[] {
  return told.text.includes(bravo.canary) ? [`tells ${told.text.slice(0, 200)}`] : []
}

test('every route has a case, and every case a route', () => {
  expect(caseProblems(gateway.app.routes, cases)).toEqual([])
})

describe('[S001-35] a thing of another tenant', () => {
  test('does not exist, on every route that takes an id, and stays as it was; the own one does exist', async () => {
    await sweep(byId(), async ([, , known]) => {
      await foreign.ids(known.params)
      return []
    })
    const before = await snapshotOf(gateway.app.stores.mongo.db, bravo.tenantId)
    expect(Object.keys(before).length).toBeGreaterThan(5)
    await sweep(byId(), async ([, route, known]) => {
      const made = madeOf(known, await foreign.ids(known.params))
      const told = await ask({ place: alpha, by: 'owner' }, route, made)
      const nobodys = await ask({ place: alpha, by: 'owner' }, route, {
        ...made,
        params: unknownIds(known.params, made.params),
      })
      return [
        ...(isNotFound(told) ? [] : [`a foreign id is answered ${told.status} ${told.text.slice(0, 200)}`]),
        ...(told.text === nobodys.text ? [] : [`foreign and unknown differ: ${told.text} / ${nobodys.text}`]),
        ...leaks(told),
      ]
    })
    expect(await snapshotOf(gateway.app.stores.mongo.db, bravo.tenantId)).toEqual(before)
    await sweep(byId(), async ([, route, known]) => {
      if (known.noControl !== undefined) return []
      const told = await ask({ place: alpha, by: 'owner' }, route, madeOf(known, await own.ids(known.params, true)))
      return told.status < 500 && !isNotFound(told)
        ? []
        : [`the own id is answered ${told.status} ${told.text.slice(0, 300)}`]
    })
  })

  test('does not exist for an API key either, nor for a credential that names the other tenant', async () => {
    await sweep(byId(), async ([, route, known]) => {
      const made = madeOf(known, await foreign.ids(known.params))
      const key = await ask({ place: alpha, by: 'key' }, route, made)
      const keyThere = await ask({ place: alpha, by: 'key', tenant: 'bravo' }, route, made)
      const there = await ask({ place: alpha, by: 'owner', tenant: 'bravo' }, route, made)
      return [
        ...(isNotFound(key) || key.status === 403 ? [] : [`by key: ${key.status} ${key.text.slice(0, 200)}`]),
        ...(isNotFound(keyThere) ? [] : [`key with ?tenant=: ${keyThere.status} ${keyThere.text.slice(0, 200)}`]),
        ...(isNotFound(there) ? [] : [`operator with ?tenant=: ${there.status} ${there.text.slice(0, 200)}`]),
        ...[key, keyThere, there].flatMap(leaks),
      ]
    })
  })

  test('does not exist beside an own one, where a path names two', async () => {
    const before = await snapshotOf(gateway.app.stores.mongo.db, bravo.tenantId)
    const two = byId().filter(([, , { params }]) => thingsOf(params).length > 1)
    await sweep(two, async ([, route, known]) => {
      const found: string[] = []
      for (const name of thingsOf(known.params)) {
        const params = { ...(await own.ids(known.params, true)), [name]: (await foreign.ids(known.params))[name] ?? '' }
        const told = await ask({ place: alpha, by: 'owner' }, route, madeOf(known, params))
        if (!isNotFound(told) && told.status !== known.besideOwn)
          found.push(`a foreign :${name} is answered ${told.status} ${told.text.slice(0, 200)}`)
        found.push(...leaks(told))
      }
      return found
    })
    expect(await snapshotOf(gateway.app.stores.mongo.db, bravo.tenantId)).toEqual(before)
  })

  test('cannot be named in a body or a query', async () => {
    const before = await snapshotOf(gateway.app.stores.mongo.db, bravo.tenantId)
    const naming = gateway.app.routes.flatMap((route): Swept[] => {
      const known = cases[nameOf(route)]
      return known?.references === undefined ? [] : [[nameOf(route), route, known]]
    })
    await sweep(naming, async ([, route, known]) => {
      const found: string[] = []
      for (const { of, where, request, status = 404 } of known.references ?? []) {
        const id = await foreign.get(of)
        const params = known.is === 'byId' ? await own.ids(known.params, true) : {}
        const told = await ask({ place: alpha, by: 'owner' }, route, { params, [where]: request(id) })
        const nobodys = await ask({ place: alpha, by: 'owner' }, route, { params, [where]: request(unknown(id)) })
        const isRefused = told.status === status
        // What can only be done by key is asked by key.
        const byKey = await ask({ place: alpha, by: 'key' }, route, { params, [where]: request(id) })
        if (!isRefused && told.status !== 403)
          found.push(`a foreign ${of} is answered ${told.status} ${told.text.slice(0, 200)}`)
        if (byKey.status !== status && byKey.status !== 403)
          found.push(`by key: ${byKey.status} ${byKey.text.slice(0, 200)}`)
        if (told.text !== nobodys.text) found.push(`foreign and unknown ${of} differ: ${told.text} / ${nobodys.text}`)
        found.push(...leaks(told), ...leaks(byKey))
      }
      return found
    })
    expect(await snapshotOf(gateway.app.stores.mongo.db, bravo.tenantId)).toEqual(before)
  })

  test('is in no answer about the own tenant', async () => {
    const all = swept('own', (known): known is RouteCase & { is: 'own' } => known.is === 'own')
    await sweep(all, async ([, route, known]) => {
      const made = { params: await own.ids(known.params ?? {}), query: known.query, body: known.body }
      const told = [
        await ask({ place: alpha, by: 'owner' }, route, made),
        await ask({ place: alpha, by: 'key' }, route, made),
      ]
      const there = [
        await ask({ place: alpha, by: 'owner', tenant: 'bravo' }, route, made),
        await ask({ place: alpha, by: 'key', tenant: 'bravo' }, route, made),
      ]
      return [
        ...[...told, ...there].flatMap(leaks),
        ...told.flatMap(({ status, text }) => (status < 500 ? [] : [`${status} ${text.slice(0, 200)}`])),
        ...(there.every(isNotFound) ? [] : [`with ?tenant=: ${there.map(({ status }) => status).join(', ')}`]),
      ]
    })
  })

  test('is refused with the same work as an unknown one: the same commands go to the store', async () => {
    await sweep(byId(), async ([, route, known]) => {
      const params = await foreign.ids(known.params)
      const nobodys = unknownIds(known.params, params)
      const work = async (of: Record<string, string>): Promise<string> => {
        commands.length = 0
        await ask({ place: alpha, by: 'owner' }, route, madeOf(known, of))
        return commands.join('\n')
      }
      // The gateway's own jobs ask as well now and then: what differs must differ each time.
      for (let i = 0; i < 4; i++) if ((await work(params)) === (await work(nobodys))) return []
      return [`foreign:\n${await work(params)}\nunknown:\n${await work(nobodys)}`]
    })
  })

  // Sees what takes a round trip to the store more (1 ms and up); the test above sees the round trip itself.
  test('is refused in the same time as an unknown one', async () => {
    await sweep(byId(), async ([, route, known]) => {
      const params = await foreign.ids(known.params)
      const nobodys = unknownIds(known.params, params)
      const ms: [number[], number[]] = [[], []]
      for (let i = 0; i < 2 * samples; i++) {
        // Interleaved, first one and first the other: a slow moment meets both.
        const kind = i % 4 === 1 || i % 4 === 2 ? 1 : 0
        const made = madeOf(known, kind === 0 ? params : nobodys)
        ms[kind].push((await ask({ place: alpha, by: 'owner' }, route, made)).ms)
      }
      const { differenceMs, boundMs } = compareMs(...ms)
      return differenceMs <= boundMs ? [] : [`${differenceMs.toFixed(2)} ms apart, ${boundMs.toFixed(2)} allowed`]
    })
  })
})
