// OpenAI's doors on the text path, and the models that agents may name.

import type { Cases } from '../case.ts'

const ask = { model: 'agent-alpha', messages: [{ role: 'user', content: 'Hello' }] }

export const openAiCases: Cases = {
  'GET /v1/text-models': { is: 'own' },
  'GET /v1/models': { is: 'own' },
  'GET /v1/models/:id': { is: 'byId', params: { id: 'agentSlug' } },
  'POST /v1/chat/completions': {
    is: 'own',
    body: ask,
    references: [{ of: 'agentSlug', where: 'body', request: (model) => ({ ...ask, model }) }],
  },
  'POST /v1/responses': {
    is: 'own',
    body: { model: 'agent-alpha', input: 'Hello' },
    references: [
      { of: 'agentSlug', where: 'body', request: (model) => ({ model, input: 'Hello' }) },
      {
        of: 'response',
        where: 'body',
        request: (id) => ({ model: 'agent-alpha', input: 'Hello', previous_response_id: id }),
      },
      {
        of: 'response',
        where: 'body',
        request: (id) => ({
          model: 'agent-alpha',
          input: [{ type: 'item_reference', id: id.replace('resp_', 'msg_') }],
        }),
        status: 400,
      },
    ],
  },
  'GET /v1/responses/:id': { is: 'byId', params: { id: 'response' } },
  'DELETE /v1/responses/:id': { is: 'byId', params: { id: 'response' } },
}
