// Somebody orders by voice on the demo page: a real browser, a microphone that plays speech, the built-in demo engine.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeWav, resample, samplesOf } from '../../gateway/platform/resample.ts'
import { violations } from '../harness/axe.ts'
import { openBrowser } from '../harness/browser.ts'
import { silencePcm, speechPcm } from '../harness/speech.ts'
import { standInRecogniser } from '../harness/stand-in-recogniser.ts'
import { startGateway } from '../harness/start-gateway.ts'

const said = [
  'i want to order two of the red sofa',
  'my name is ada lovelace',
  'ada at example dot com',
  'one mill street',
  'yes please',
]

/** Each sentence after a pause in which the agent answers. */
async function conversation(file: string, pauseMs: number): Promise<void> {
  const parts: Buffer[] = [silencePcm(pauseMs)]
  for (const text of said) parts.push(await speechPcm(text), silencePcm(pauseMs))
  await writeFile(file, encodeWav(resample(samplesOf(Buffer.concat(parts)), 24_000, 48_000), 48_000))
}

test('[S002-19] an order by voice: the form fills while the visitor speaks, a spoken yes places it, and it is stored once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-order-'))
  const wav = join(folder, 'order.wav')
  await conversation(wav, 9_000)
  await using _ears = await standInRecogniser(said)
  await using gateway = await startGateway()
  const browser = await openBrowser({ microphone: wav })
  try {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`${gateway.url}/demo?tenant=productco`)
    await page.locator('parley-widget button').click()
    const panel = page.frameLocator('parley-widget iframe')
    await panel.locator('.talk').click()
    const form = panel.locator('.visual[data-visual=order_form]')
    await form.locator('[name=quantity]').waitFor({ timeout: 40_000 })
    expect(await form.locator('[name=quantity]').inputValue()).toBe('2')
    await expect.poll(() => form.locator('[name=name]').inputValue(), { timeout: 30_000 }).toBe('Ada Lovelace')
    await expect.poll(() => form.locator('[name=email]').inputValue(), { timeout: 30_000 }).toBe('ada@example.com')
    const frame = page.frames().find((each) => each.url().includes('/widget/panel'))
    if (frame === undefined) throw new Error('the panel has no frame')
    expect(await violations(frame)).toEqual([])
    await form.getByText('Order placed').waitFor({ timeout: 40_000 })
    expect(await panel.locator('.visual').count()).toBe(1)
    const { tenants, identity, entities } = gateway.app.slices
    const tenant = await tenants.bySlug('productco')
    if (tenant === undefined) throw new Error('seeded')
    const all = entities.of(tenant.id).as(identity.authFor.system(tenant.id))
    expect((await all.template('order').list({ limit: 10 })).items).toMatchObject([
      { data: { name: 'Ada Lovelace', address: 'one mill street', items: [{ quantity: 2 }] } },
    ])
    expect(errors).toEqual([])
  } finally {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
}, 200_000)
