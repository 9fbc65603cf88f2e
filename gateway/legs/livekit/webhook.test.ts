import { createHash } from 'node:crypto'
import { AccessToken } from 'livekit-server-sdk'
import { expect, test } from 'vitest'
import { siteKeyOf } from './outside.ts'
import { callerToken } from './tokens.ts'
import { readHook } from './webhook.ts'

const keys = { apiKey: 'key', apiSecret: 'a secret of the operator, nobody else knows it' }

async function signed(body: string, by = keys): Promise<string> {
  const token = new AccessToken(by.apiKey, by.apiSecret, { ttl: 300 })
  token.sha256 = createHash('sha256').update(body).digest('base64')
  return token.toJwt()
}

const read = async (event: unknown): Promise<unknown> => {
  const body = JSON.stringify(event)
  return readHook(keys, body, await signed(body))
}

const room = { sid: 'RM_1', name: 'parley.pk_demo_productco.x' }

test('a caller who enters is told, by phone or not', async () => {
  const web = { event: 'participant_joined', room, participant: { sid: 'PA_1', identity: 'ada' } }
  expect(await read(web)).toEqual({ is: 'entered', room: room.name, identity: 'ada', sip: false })
  const phone = { ...web, participant: { sid: 'PA_1', identity: 'sip_1', kind: 'SIP' } }
  expect(await read(phone)).toEqual({ is: 'entered', room: room.name, identity: 'sip_1', sip: true })
})

test('agents, recorders and all other events are nobody to answer', async () => {
  for (const kind of ['AGENT', 'EGRESS', 'INGRESS'])
    expect(await read({ event: 'participant_joined', room, participant: { identity: 'x', kind } })).toMatchObject({
      is: 'ignored',
    })
  // A way in that is not known yet brings a caller all the same.
  const kind = 'A_KIND_OF_NEXT_YEAR'
  expect(await read({ event: 'participant_joined', room, participant: { identity: 'x', kind } })).toMatchObject({
    is: 'entered',
  })
  for (const event of ['room_finished', 'participant_left', 'egress_ended', 'an_event_of_next_year', ''])
    expect(await read({ event, room, participant: { identity: 'x' }, field_of_next_year: { a: 1 } })).toEqual({
      is: 'ignored',
      event,
    })
  expect(await read({ event: 'participant_joined', room })).toMatchObject({ is: 'ignored' })
  expect(await read({ event: 'participant_joined', participant: { identity: 'x' } })).toMatchObject({ is: 'ignored' })
})

test('what is not signed with our key over these very bytes is forged', async () => {
  const body = JSON.stringify({ event: 'participant_joined', room, participant: { identity: 'ada' } })
  const forged = { is: 'forged' }
  expect(await readHook(keys, body, undefined)).toEqual(forged)
  expect(await readHook(keys, body, '')).toEqual(forged)
  expect(await readHook(keys, body, 'a.b.c')).toEqual(forged)
  expect(await readHook(keys, `${body} `, await signed(body))).toEqual(forged)
  expect(
    await readHook(keys, body, await signed(body, { ...keys, apiSecret: 'another secret of the same length, guess' })),
  ).toEqual(forged)
  expect(await readHook(keys, body, await signed(body, { ...keys, apiKey: 'other' }))).toEqual(forged)
  // A caller's own token is signed with the same secret.
  const own = await callerToken(keys, { room: room.name, identity: 'ada', name: 'Ada' })
  expect(await readHook(keys, body, own)).toEqual(forged)
  const old = new AccessToken(keys.apiKey, keys.apiSecret, { ttl: -60 })
  old.sha256 = createHash('sha256').update(body).digest('base64')
  expect(await readHook(keys, body, await old.toJwt())).toEqual(forged)
})

test('what the server signed and nobody can read is no forgery', async () => {
  for (const body of ['', 'not json', '[]', '{"event":"participant_joined","room":"a string"}'])
    expect(await readHook(keys, body, await signed(body))).toEqual({ is: 'unreadable' })
})

test('a room names its agent by a site key between two dots', () => {
  expect(siteKeyOf('parley.pk_demo_productco.')).toBe('pk_demo_productco')
  expect(siteKeyOf('parley.pk_demo_productco._+4930123_aBc')).toBe('pk_demo_productco')
  for (const name of [
    'parley.pk_demo_productco',
    'ten_1.room',
    'parley..x',
    'xparley.pk_demo_productco.x',
    'parley.af_live_x.y',
  ])
    expect(siteKeyOf(name)).toBeUndefined()
})
