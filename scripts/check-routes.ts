// Every route has a case for the sweeps of tenants and roles and says what it answers. Tests itself: a planted route and a
// planted case must be caught.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../gateway/app.ts'
import { readConfig } from '../gateway/config.ts'
import { type Route, route } from '../gateway/platform/http.ts'
import { cases } from '../test/surface/cases.ts'
import { caseProblems } from '../test/surface/check-cases.ts'

/** Far below today's count, far above zero. */
const leastRoutes = 40

async function table(): Promise<readonly Route[]> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-routes-'))
  try {
    const app = await createApp(readConfig({ PORT: '0', PARLEY_DATA_DIR: dir, LOG_LEVEL: 'silent' }))
    await app.drain()
    return app.routes
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const routes = await table()
if (routes.length < leastRoutes) throw new Error(`only ${routes.length} routes: the checker is blind`)
const problems = caseProblems(routes, cases)
for (const each of problems) console.error(each)
const planted = route({
  ...{ method: 'GET', path: '/v1/planted/:id', access: 'agents.read', summary: 'No case, no reply' },
  run: async () => ({}),
})
if (caseProblems([...routes, planted], cases).length !== problems.length + 1)
  throw new Error('a planted route without a case passed: the check has no teeth')
console.log(`routes: ${routes.length}, ${problems.length} defects; a planted one was caught`)
process.exitCode = problems.length === 0 ? 0 : 1
