// A person at the console in a real browser, signed in, with everything noted that the browser complains about.

import type { Browser, BrowserContext, Page } from 'playwright-core'
import { violations } from './axe.ts'
import type { TestGateway } from './start-gateway.ts'

export interface ConsolePage extends AsyncDisposable {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page logged as errors, and its uncaught exceptions. */
  readonly errors: readonly string[]
  /** Opens a screen of a tenant; ProductCo's when left out. */
  open(path: string, tenant?: string): Promise<void>
  /** Violations of WCAG A and AA in the light and in the dark theme, one line each. */
  check(): Promise<string[]>
}

/** `operatorId`: who signs in; left out: the owner of the gateway. */
export async function consolePage(gateway: TestGateway, browser: Browser, operatorId?: string): Promise<ConsolePage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  const { token } = await gateway.app.slices.identity.createSignInToken(operatorId)
  await page.goto(`${gateway.url}/console/sign-in#token=${token}`)
  await page.waitForSelector('.shell')
  return {
    page,
    context,
    errors,
    async open(path, tenant = 'productco') {
      await page.goto(`${gateway.url}/console/${path}${path.includes('?') ? '&' : '?'}tenant=${tenant}`)
    },
    async check() {
      const found: string[] = []
      // What comes and goes (toasts, transitions) is not looked at half-way.
      await page.locator('[data-sonner-toast]').waitFor({ state: 'detached', timeout: 15_000 })
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
        found.push(...(await violations(page.mainFrame())).map((each) => `${scheme}: ${each}`))
      }
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' })
      return found
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}
