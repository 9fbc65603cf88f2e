import { createHmac } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../harness/browser.ts'
import { type ConsolePage, consolePage } from '../harness/console-page.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let browser: Browser
let owner: ConsolePage
let page: Page
const password = 'a long walk by the sea 41'
beforeAll(async () => {
  gateway = await startGateway({ PARLEY_PUBLIC_URL: 'http://localhost' })
  // A passkey belongs to a name, never to a number.
  gateway = { ...gateway, url: gateway.url.replace('127.0.0.1', 'localhost') }
  browser = await openBrowser()
  owner = await consolePage(gateway, browser)
  page = owner.page
  page.setDefaultTimeout(15_000)
})
afterAll(async () => {
  await owner[Symbol.asyncDispose]()
  await browser.close()
  await gateway.app.drain()
})

/** The six digits of an authenticator app (RFC 6238). */
function totp(secret: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((each) => alphabet.indexOf(each).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const hash = createHmac('sha1', key).update(counter).digest()
  const offset = (hash.at(-1) ?? 0) & 15
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

async function signOut(): Promise<void> {
  await page.locator('.account').click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor()
}

test('a password set on the account page opens the console; a wrong one does not', async () => {
  await owner.open('account')
  await page.getByRole('button', { name: 'Set a first one' }).click()
  await page.locator('#first-email').fill('owner@example.com')
  await page.locator('#first-password').fill('short')
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.locator('#first-password-note.form-issue').waitFor()
  await page.locator('#first-password').fill(password)
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByText('You can sign in by e-mail and password now.').waitFor()
  expect(await owner.check()).toEqual([])
  await signOut()
  await page.getByLabel('E-mail').fill('owner@example.com')
  await page.getByLabel('Password', { exact: true }).fill('another password 77')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('alert').waitFor()
  expect(await owner.check()).toEqual([])
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForSelector('.shell')
})

test('an authenticator app is set up, and its code is asked for at the next sign-in', async () => {
  await owner.open('account')
  await page.getByRole('button', { name: 'Set up an app' }).click()
  await page.locator('#factor-password').fill(password)
  await page.getByRole('button', { name: 'Continue' }).click()
  const secret = (await page.locator('[data-secret]').textContent()) ?? ''
  expect(await page.getByRole('list', { name: 'Backup codes' }).getByRole('listitem').count()).toBe(10)
  await page.locator('#factor-code').fill(totp(secret))
  await page.getByRole('button', { name: 'Turn on' }).click()
  await page.getByText('The second factor is on.').waitFor()
  await signOut()
  await page.getByLabel('E-mail').fill('owner@example.com')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel('Code of your authenticator app').fill(totp(secret))
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.waitForSelector('.shell')
})

test('a passkey of this device opens the console without a password', async () => {
  const devtools = await owner.context.newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true },
      ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    },
  })
  await owner.open('account')
  await page.getByRole('button', { name: 'Add this device' }).click()
  await page.getByRole('list', { name: 'Passkeys' }).getByText('Chrome on').waitFor()
  await signOut()
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.waitForSelector('.shell')
  const { slices } = gateway.app
  const [tenant] = await slices.tenants.all()
  const { items } = await slices.identity.audit.of(tenant!.id).list({ limit: 3 })
  expect(items.map(({ ability, route }) => [ability, route])).toEqual([
    ['auth.sign-in', '/v1/auth/passkey/verify-authentication'],
    ['auth.sign-out', '/v1/console/sign-out'],
    ['auth.passkey-add', '/v1/auth/passkey/verify-registration'],
  ])
})

test('the page shows where one is signed in, and ends the other places', async () => {
  const other = await consolePage(gateway, browser)
  await owner.open('account')
  const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem')
  await sessions.filter({ hasText: 'This one' }).waitFor()
  expect(await sessions.count()).toBeGreaterThan(1)
  await page.getByRole('button', { name: 'End all others' }).click()
  await expect.poll(() => sessions.count()).toBe(1)
  await other.page.reload()
  await other.page.getByRole('heading', { name: 'Sign in to the console' }).waitFor()
  await other[Symbol.asyncDispose]()
})
