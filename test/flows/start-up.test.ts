// What a start tells: what is off, and for want of which variable.

import { expect, test } from 'vitest'
import { startGateway } from '../harness/start-gateway.ts'

const names = ['ANTHROPIC_API_KEY', 'TOOL_EXECUTOR_URL', 'TOOL_EXECUTOR_SECRET', 'CLERK_JWT_ISSUER_DOMAIN']

test('[S001-37] a start with no environment names each variable that is missing, and what is off without it', async () => {
  await using gateway = await startGateway()
  await gateway.visitorToken()
  for (const name of names) {
    const line = gateway.started.integrations.find((each) => each.includes(name))
    expect(line, name).toMatch(/: off, no /)
  }
})

test('[S001-37] a start with all of them names none as missing, and no secret', async () => {
  const env = {
    ANTHROPIC_API_KEY: 'sk-ant-not-a-real-one',
    TOOL_EXECUTOR_URL: 'https://run.example',
    TOOL_EXECUTOR_SECRET: 'a-secret-of-some-length',
    CLERK_JWT_ISSUER_DOMAIN: 'clerk.example.com',
    CLERK_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  }
  await using gateway = await startGateway(env)
  await gateway.visitorToken()
  const lines = gateway.started.integrations.join('\n')
  for (const name of names) expect(lines).not.toContain(name)
  expect(lines).toContain('sign-in by Clerk (https://clerk.example.com): on')
  for (const secret of [env.ANTHROPIC_API_KEY, env.TOOL_EXECUTOR_SECRET, env.CLERK_WEBHOOK_SECRET])
    expect(lines + gateway.log.join()).not.toContain(secret)
})
