// `npm start`: builds the front ends if they are stale (where the build tools are installed), then runs the gateway.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const pages = ['widget/dist/panel.html', 'console/dist/index.html', 'api-docs/dist/index.html']
const built = pages.every((page) => existsSync(join(root, page)))
try {
  const { buildFrontEnds } = await import('./build.ts')
  const done = await buildFrontEnds(false)
  if (done.length > 0) console.log(`Built ${done.join(' and ')}.`)
} catch (error) {
  // A production image has no Vite: it carries what was built.
  if (!built) throw error
}
await import('../gateway/main.ts')
