import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TenantLedger } from '../../gateway/ledger/ledger.ts'
import type { TenantId } from '../../gateway/platform/ids.ts'
import { violations } from '../harness/axe.ts'
import { openBrowser } from '../harness/browser.ts'
import { startGateway, type TestGateway } from '../harness/start-gateway.ts'

let gateway: TestGateway
let browser: Browser
let page: Page
let tenantId: TenantId
let ledger: TenantLedger
beforeAll(async () => {
  gateway = await startGateway()
  const tenant = await gateway.app.slices.tenants.bySlug('productco')
  if (tenant === undefined) throw new Error('no demo tenant')
  tenantId = tenant.id
  ledger = gateway.app.slices.ledger.of(tenantId)
  await ledger.adjust({ key: 'adj:empty', amountMicro: -10_000_000_000, note: 'test' })
  browser = await openBrowser()
  page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage()
  await page.goto(gateway.started.signInUrl.replace(/^http:\/\/[^/]+/, gateway.url))
  await page.waitForSelector('.shell')
})
afterAll(async () => {
  await browser.close()
  await gateway[Symbol.asyncDispose]()
})

test('[L15] an operator sees the tiers; a debt and a ledger that does not replay stand in red above them', async () => {
  await ledger.grantDailyCredits({ amountMicro: 5_000_000, timeZone: 'UTC', note: '' })
  await ledger.addPurchasedCredits({ paymentId: 'pi_1', amountMicro: 50_000_000, note: '=HYPERLINK("http://evil")' })
  await ledger.deductCredits({ key: 'turn_1', amountMicro: 15_000_000, note: 'message' })
  await page.goto(`${gateway.url}/console/credits?tenant=productco`)
  await page.locator('tr[data-tier=purchased]', { hasText: '40.0000' }).waitFor()
  expect(await page.locator('[role=alert]').count()).toBe(0)
  await ledger.refund({ grantId: 'purchase:pi_1', refundId: 're_1', amountMicro: 50_000_000, note: '' })
  await gateway.app.stores.mongo.db
    .collection<{ _id: string }>('credit_accounts')
    .updateOne({ _id: tenantId, tenantId }, { $inc: { posted: 1 } })
  expect(await gateway.app.slices.ledger.reconcile()).toMatchObject([{ tenantId }])
  await page.reload()
  await page.locator('[role=alert][data-breach]').waitFor()
  await page.locator('[role=alert][data-debt]', { hasText: '10.00 credits are owed' }).waitFor()
  await page.getByText('New sessions are refused', { exact: true }).waitFor()
  expect(await violations(page.mainFrame())).toEqual([])
}, 60_000)

test('[L25] the entries come as a file in which a formula is text', async () => {
  await page.goto(`${gateway.url}/console/credits?tenant=productco`)
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Download CSV').click()])
  expect(download.suggestedFilename()).toBe('credit-entries.csv')
  const path = join(await mkdtemp(join(tmpdir(), 'parley-csv-')), 'entries.csv')
  await download.saveAs(path)
  const text = await readFile(path, 'utf8')
  expect(text).toContain(`"'=HYPERLINK(""http://evil"")"`)
  expect(text).toMatch(/"purchase:pi_1","purchase",50000000,0,0,50000000,0,/)
  expect(text).toMatch(/"owe:refund:re_1","debt",0,0,0,0,10000000,/)
}, 60_000)
