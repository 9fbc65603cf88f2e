import { expect, test } from 'vitest'
import { instructionsOf } from './instructions.ts'
import type { CallPolicy } from './permission.ts'
import type { Tool } from './registry.ts'
import { withDefaults } from './tool.ts'

const policy: CallPolicy = { autonomyLevel: 'autonomous', requireApprovalFor: ['send_email'], toolPermissions: [] }
const tool = (over: Partial<Tool>): Tool => ({
  ...withDefaults({ name: 't', kind: 'http', category: 'custom', description: 'Does it.', readOnly: true }),
  ...{ own: true, parameters: {}, spec: {}, instructions: '', prepare: () => ({ is: 'invalid', issues: [] }) },
  ...over,
})

test('[S002-1] the prompt’s words on a tool are its descriptor’s', () => {
  const before = instructionsOf([tool({ name: 'find_sofa', description: 'Finds sofas.' })], policy)
  expect(before).toContain('- find_sofa: Finds sofas.')
  const after = instructionsOf(
    [tool({ name: 'find_sofa', description: 'Finds sofas.', instructions: 'Ask the colour first.' })],
    policy,
  )
  expect(after).toBe(before.replace('Finds sofas.', 'Finds sofas. Ask the colour first.'))
})

test('what waits for a person is marked, and what that means is said only where something waits', () => {
  const email = tool({ name: 'send_email', readOnly: false })
  const text = instructionsOf([tool({}), email], policy)
  expect(text).toContain('- send_email (waits for a person): Does it. It changes something')
  expect(text).toContain('- t: Does it.\n')
  expect(instructionsOf([tool({})], policy)).not.toContain('wait')
  expect(instructionsOf([], policy)).toBe('')
})

test('of very many tools the last ones are named only', () => {
  const many = Array.from({ length: 100 }, (_, n) => tool({ name: `t_${n}`, instructions: 'x'.repeat(5_000) }))
  const text = instructionsOf(many, policy)
  expect(text.length).toBeLessThan(15_000)
  expect(text).toMatch(/- t_99$/)
})
