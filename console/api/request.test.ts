import { expect, test } from 'vitest'
import { requester } from './request.ts'

test('a request is put together from its name and its parts, and its answer is typed', async () => {
  const sent: unknown[] = []
  const request = requester(async (...asked) => {
    sent.push(asked)
    // What a server would have sent.
    return JSON.parse('{"items":[],"next":null}')
  })
  const agents = await request('GET /v1/agents', { query: { limit: 5, status: 'active' } })
  expect(agents.items).toEqual([])
  await request('PATCH /v1/agents/:id', { params: { id: 'a/b' }, body: { name: 'Ann' } })
  // @ts-expect-error: there is no such route
  await request('GET /v1/nothing', {})
  // @ts-expect-error: the path names an agent
  await request('GET /v1/agents/:id', {})
  expect(sent.slice(0, 2)).toEqual([
    ['GET', '/v1/agents', { query: { limit: '5', status: 'active' }, body: undefined }],
    ['PATCH', '/v1/agents/a%2Fb', { query: {}, body: { name: 'Ann' } }],
  ])
})
