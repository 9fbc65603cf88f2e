// `node scripts/screenshots.ts`: the README's pictures, taken of the real thing with the demo engine.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBrowser } from '../test/harness/browser.ts'
import { writeSpeechWav } from '../test/harness/speech.ts'
import { startGateway } from '../test/harness/start-gateway.ts'
import { buildFrontEnds } from './build.ts'

const media = join(import.meta.dirname, '../media')
const folder = await mkdtemp(join(tmpdir(), 'parley-shots-'))
await buildFrontEnds(false)
const gateway = await startGateway({ LOG_LEVEL: 'silent' })
const wav = join(folder, 'speech.wav')
await writeSpeechWav(wav, { text: 'Hello, one question please.', leadMs: 3_000, tailMs: 60_000 })
const browser = await openBrowser({ microphone: wav })
try {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 840 } })).newPage()
  await page.goto(`${gateway.url}/demo?tenant=productco`)
  await page.locator('parley-widget button').click()
  const panel = page.frameLocator('parley-widget iframe')
  await panel.locator('textarea').fill('Do you have a red sofa under 500?')
  await panel.locator('textarea').press('Enter')
  await panel.locator('.log').getByText('Alba').waitFor()
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(media, 'widget-open.png') })
  await panel.locator('.talk').click()
  await page.waitForTimeout(8_500)
  await panel.locator('textarea').fill('How long does delivery take?')
  await panel.locator('textarea').press('Enter')
  await page.waitForTimeout(1_800)
  await page.screenshot({ path: join(media, 'widget-call.png') })

  const operator = await (await browser.newContext({ viewport: { width: 1280, height: 840 } })).newPage()
  await operator.goto(gateway.started.signInUrl.replace(/^http:\/\/[^/]+/, gateway.url))
  await operator.waitForSelector('.shell')
  await operator.goto(`${gateway.url}/console/?tenant=productco`)
  await operator.locator('.row[data-session]').first().click()
  await operator.locator('.turn').first().waitFor()
  await panel.locator('textarea').fill('Can I return a table that I do not like?')
  await panel.locator('textarea').press('Enter')
  await operator.waitForTimeout(2_500)
  await operator.screenshot({ path: join(media, 'console-live.png') })

  const address = `${gateway.url}/console`
  await operator.goto(`${address}/agents?tenant=productco`)
  await operator.locator('[data-agent]').first().waitFor()
  await operator.screenshot({ path: join(media, 'console-agents.png') })
  await operator.locator('.agent-who a').first().click()
  await operator.locator('#agent-form').waitFor()
  await operator.getByRole('tab', { name: 'Try it' }).click()
  await operator.getByLabel(/^Message to/).fill('Do you have a red sofa under 500?')
  await operator.keyboard.press('Enter')
  await operator.locator('.test-cost').waitFor()
  await operator.screenshot({ path: join(media, 'console-agent.png') })
  await operator.goto(`${address}/agents/activity?tenant=productco`)
  await operator.locator('[data-conversation]').first().waitFor()
  await operator.screenshot({ path: join(media, 'console-activity.png') })
  await operator.goto(`${address}/team/roles?tenant=productco&role=operator`)
  await operator.locator('.matrix').waitFor()
  await operator.screenshot({ path: join(media, 'console-roles.png') })
  await operator.goto(`${address}/audit?tenant=productco`)
  await operator.locator('[data-entry]').first().waitFor()
  await operator.screenshot({ path: join(media, 'console-audit.png') })
} finally {
  await browser.close()
  await gateway[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}
process.exit(0)
