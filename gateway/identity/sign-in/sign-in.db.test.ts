import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { QueryWatch } from '../../../test/harness/indexed.ts'
import { noAgents } from '../../../test/harness/no-agents.ts'
import { openTestStore, type TestStore } from '../../../test/harness/store.ts'
import { totpCode } from '../../../test/harness/totp.ts'
import { systemClock } from '../../platform/clock.ts'
import { ensureIndexes, type Mongo, openMongo } from '../../platform/mongo.ts'
import { createTenants, tenantCollections } from '../../tenants/tenants.ts'
import { createIdentity, type Identity, identityCollections } from '../identity.ts'
import { signInCollections } from './store.ts'

const password = 'plum-tin-harbour-9'
const origin = 'https://talk.example'
const watch = new QueryWatch()
const secret = randomBytes(32)
let offsetMs = 0
const clock = { ...systemClock, now: () => Date.now() + offsetMs }
let store: TestStore
let mongo: Mongo
let identity: Identity
let email: string
let operatorId: string
let count = 0

beforeAll(async () => {
  store = await openTestStore()
  mongo = await openMongo(store.uri, store.database, { timeoutMs: 10_000, onCommand: watch.onCommand })
  await ensureIndexes(mongo.db, [...tenantCollections, ...identityCollections])
  const tenants = createTenants({ db: mongo.db })
  identity = createIdentity({ db: mongo.db, publicUrl: origin, secret, tenants, agents: noAgents, clock })
})
afterAll(async () => {
  await mongo.close()
  await store[Symbol.asyncDispose]()
})
beforeEach(async () => {
  offsetMs = 0
  email = `p${count++}@example.com`
  operatorId = await identity.createOperator('P', [])
  await identity.addressFor(operatorId, email)
  await identity.signIns.setPassword(operatorId, email, password)
})

const call = (path: string, body?: object, cookie?: string, ip = '10.0.0.1') =>
  identity.signIns.serve({
    method: body === undefined ? 'GET' : 'POST',
    path,
    body,
    ip,
    header: (name) => ({ origin, cookie })[name],
  })
let address = 0
/** From an address of its own each: what is tried is the limit of the account. */
const signIn = (given: string, who = email) =>
  call('/sign-in/email', { email: who, password: given }, undefined, `10.1.${address >> 8}.${address++ & 255}`)
const cookiesOf = (answer: { setCookies: readonly string[] }) =>
  answer.setCookies.map((each) => each.split(';')[0]).join('; ')

test('after ten guesses at one address from anywhere the right password waits too, whether anybody has the address or not', async () => {
  for (const who of [email, 'nobody@example.com']) {
    for (let guess = 0; guess < 10; guess++) expect((await signIn(`wrong-guess-${guess}`, who)).status).toBe(401)
    expect((await signIn(password, who)).status).toBe(429)
  }
  offsetMs = 15 * 60_000 + 1
  expect((await signIn(password)).status).toBe(200)
})

test('who comes in is forgiven what they mistyped', async () => {
  for (let round = 0; round < 2; round++) {
    for (let guess = 0; guess < 6; guess++) await signIn(`wrong-guess-${guess}`)
    expect((await signIn(password)).status).toBe(200)
  }
})

test('from one address eleven attempts within a minute are one too many', async () => {
  const answers: number[] = []
  for (let guess = 0; guess < 11; guess++) {
    const body = { email: `someone-${guess}@example.com`, password }
    answers.push((await call('/sign-in/email', body, undefined, '10.9.9.9')).status)
  }
  expect(answers.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401))
  expect(answers[10]).toBe(429)
})

test('a session by password and one by link are the same: both open every door, and end idle', async () => {
  const byPassword = cookiesOf(await signIn(password))
  const byLink = `parley_session=${(await identity.startSession(operatorId)).cookie}`
  for (const cookie of [byPassword, byLink]) {
    expect((await identity.signedIn(cookie))?.operatorId).toBe(operatorId)
    expect((await call('/passkey/list-user-passkeys', undefined, cookie)).status).toBe(200)
  }
  offsetMs = 2 * 3_600_000 + 1
  for (const cookie of [byPassword, byLink]) {
    expect(await identity.signedIn(cookie)).toBeUndefined()
    expect((await call('/passkey/list-user-passkeys', undefined, cookie)).status).toBe(401)
  }
})

test('a cookie whose signature is altered opens no door of the library', async () => {
  const cookie = `parley_session=${(await identity.startSession(operatorId)).cookie}`
  const altered = cookie.replace(/\.(.)/, (_all, first) => `.${first === 'A' ? 'B' : 'A'}`)
  expect((await call('/passkey/list-user-passkeys', undefined, altered)).status).toBe(401)
})

test('ten wrong codes in a row lock the second factor for a while, over many sign-ins', async () => {
  const cookie = cookiesOf(await signIn(password))
  const enabled = await call('/two-factor/enable', { password }, cookie)
  const { totpURI } = enabled.body as { totpURI: string }
  expect((await call('/two-factor/verify-totp', { code: totpCode(totpURI) }, cookie)).status).toBe(200)
  let wrong = 0
  for (let round = 0; round < 4; round++) {
    const pending = cookiesOf(await signIn(password))
    for (let guess = 0; guess < 4 && wrong < 10; guess++, wrong++) {
      const answer = await call('/two-factor/verify-totp', { code: '000000' }, pending, `10.2.0.${wrong}`)
      expect([400, 401]).toContain(answer.status)
    }
  }
  const last = cookiesOf(await signIn(password))
  expect((await call('/two-factor/verify-totp', { code: totpCode(totpURI) }, last, '10.3.0.1')).status).toBe(429)
})

test('who is forgotten comes in no more', async () => {
  await identity.signIns.forget(operatorId)
  expect((await signIn(password)).status).toBe(401)
})

test('every query of signing in has an index', async () => {
  const names = [...signInCollections.map((each) => each.name), 'operators', 'operator_sessions']
  expect(await watch.scans(mongo.db, names)).toEqual([])
  expect(watch.seen).toBeGreaterThan(15)
})
