// Accessibility by axe-core, in whatever frame is given.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Frame } from 'playwright-core'
import { z } from 'zod'

const result = z.array(
  z.object({ id: z.string(), impact: z.string().nullish(), nodes: z.array(z.object({ html: z.string() })) }),
)

/** Violations of WCAG 2.2 A and AA, one line each. */
export async function violations(frame: Frame): Promise<string[]> {
  await frame.evaluate(await readFile(fileURLToPath(import.meta.resolve('axe-core')), 'utf8'))
  const tags = JSON.stringify(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
  const found: unknown = await frame.evaluate(
    `axe.run(document, { runOnly: ${tags} }).then((result) => result.violations)`,
  )
  return result.parse(found).map((each) => `${each.impact} ${each.id}: ${each.nodes[0]?.html.slice(0, 120)}`)
}
