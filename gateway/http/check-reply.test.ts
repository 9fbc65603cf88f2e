import { expect, test } from 'vitest'
import { z } from 'zod'
import { type RouteManner, type RouteReply, route } from '../platform/http.ts'
import { misfit } from './check-reply.ts'

const answered = (manner: RouteManner, reply: RouteReply): string | undefined =>
  misfit(
    route({ ...manner, method: 'GET', path: '/v1/x', access: 'public', summary: 'x', run: async () => reply }),
    reply,
  )
const schema = z.strictObject({ at: z.iso.datetime(), note: z.string().exactOptional() })

test('an answer that is what its route declares passes, as the client gets it', () => {
  expect(answered({ reply: schema }, { json: { at: new Date(0), note: undefined } })).toBeUndefined()
  expect(answered({ reply: schema, status: 201 }, { json: { at: new Date(0) } })).toBeUndefined()
  expect(answered({}, {})).toBeUndefined()
  expect(answered({ status: 200 }, { status: 200 })).toBeUndefined()
  expect(answered({ replies: [{ type: 'text/plain' }] }, { text: '' })).toBeUndefined()
  const csv = { text: 'a', headers: { 'content-type': 'text/csv; charset=utf-8' } }
  expect(answered({ reply: schema, replies: [{ type: 'text/csv' }] }, csv)).toBeUndefined()
})

test('an answer with a field, a status or a form that its route does not declare is told', () => {
  expect(answered({ reply: schema }, { json: { at: new Date(0), secret: 'x' } })).toContain('secret')
  expect(answered({ reply: schema }, { status: 201, json: { at: new Date(0) } })).toContain('201')
  expect(answered({ reply: schema }, { text: 'x' })).toContain('text/plain')
  expect(answered({ reply: schema }, {})).toContain('204')
  expect(answered({}, { status: 200 })).toContain('200')
  expect(answered({}, { json: {} })).toContain('application/json')
})
