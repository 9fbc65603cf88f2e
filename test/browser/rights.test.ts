// What the console offers a person is what their roles let them do.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openBrowser } from '../harness/browser.ts'
import { consolePage } from '../harness/console-page.ts'
import { type SignedIn, signIn } from '../harness/sign-in.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let browser: Browser
beforeAll(async () => {
  gateway = await startGateway()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await gateway[Symbol.asyncDispose]()
})

const told = z.object({ tenants: z.array(z.object({ slug: z.string(), abilities: z.array(z.string()) })) })
async function abilitiesOf(person: SignedIn): Promise<readonly string[]> {
  const { body } = await person.call('GET', '/v1/console/me')
  return told.parse(body).tenants.find((each) => each.slug === 'productco')?.abilities ?? []
}

/** What the person finds in the navigation, on the list of agents and in an agent's editor. */
async function offered(operatorId?: string) {
  const person = await consolePage(gateway, browser, operatorId)
  const { page } = person
  page.setDefaultTimeout(15_000)
  await person.open('agents')
  const edit = page.getByRole('link', { name: /^Edit / }).first()
  await edit.waitFor()
  const nav = await page.getByRole('navigation', { name: 'Console' }).locator('.nav-long').allTextContents()
  const onList = await page.getByRole('button').allTextContents()
  await edit.click()
  await page.locator('#agent-form').waitFor()
  const inEditor = await page.getByRole('button').allTextContents()
  const faults = await person.check()
  await person[Symbol.asyncDispose]()
  return { nav, buttons: [...onList, ...inEditor], faults, errors: person.errors }
}

const writes = ['New agent', 'Import', 'Saved', 'Deploy']

test('a client reads: no Team, Keys and Audit to go to, nothing to make, to save and to deploy', async () => {
  const client = await signIn(gateway, 'client')
  const abilities = await abilitiesOf(client)
  expect(abilities).toContain('agents.read')
  expect(abilities.filter((each) => !each.endsWith('.read'))).toEqual([])
  const { nav, buttons, faults, errors } = await offered(client.operatorId)
  expect(nav).toEqual(['Live', 'Approvals', 'History', 'Agents', 'Tools', 'Knowledge', 'Credits'])
  for (const name of writes) expect(buttons).not.toContain(name)
  expect(faults).toEqual([])
  expect(errors).toEqual([])
})

test('an owner is offered everything', async () => {
  const owner = await signIn(gateway)
  expect(await abilitiesOf(owner)).toEqual(expect.arrayContaining(['agents.deploy', 'audit.read', 'credits.write']))
  const { nav, buttons } = await offered()
  expect(nav).toEqual([
    ...[
      'Live',
      'Approvals',
      'History',
      'Agents',
      'Tools',
      'Knowledge',
      'Credits',
      'Team',
      'Tenant & keys',
      'Audit log',
    ],
  ])
  for (const name of writes) expect(buttons).toContain(name)
})

test('a role of the tenant’s own, and a denial in it, count too; a screen opened by its address says why it is empty', async () => {
  const owner = await signIn(gateway)
  const policyIds: string[] = []
  for (const [resource, action, effect, priority] of [
    ['agents', '*', 'allow', 0],
    ['agents', 'write', 'deny', 5],
    ['sessions', 'read', 'allow', 0],
  ]) {
    const made = await owner.call('POST', '/v1/policies', { body: { resource, action, effect, priority } })
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    policyIds.push(z.object({ id: z.string() }).parse(made.body).id)
  }
  expect((await owner.call('POST', '/v1/roles', { body: { name: 'deployer', policyIds } })).status).toBe(201)
  const deployer = await signIn(gateway, 'deployer')
  expect([...(await abilitiesOf(deployer))].sort()).toEqual(['agents.deploy', 'agents.read', 'sessions.read'])
  const { nav, buttons } = await offered(deployer.operatorId)
  expect(nav).toEqual(['Live', 'History', 'Agents'])
  expect(buttons).toContain('Deploy')
  expect(buttons).not.toContain('Saved')
  const person = await consolePage(gateway, browser, deployer.operatorId)
  await person.open('audit')
  await person.page.getByText('Your role in this tenant does not allow this.').first().waitFor()
  await person[Symbol.asyncDispose]()
})
