// `npm run cron:janitor`: closes stale sessions from a process of its own. Safe beside gateways and other janitors.

import { createJanitor } from '../gateway/app.ts'
import { ConfigError, loadEnvFile, readConfig } from '../gateway/config.ts'
import { StartError } from '../gateway/stores.ts'

try {
  loadEnvFile()
  await using janitor = await createJanitor(readConfig())
  const report = await janitor.run()
  console.log(`janitor: ${report.closed} closed, ${report.settled} settled, ${report.failed} failed`)
  process.exitCode = report.failed > 0 ? 1 : 0
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartError)) throw error
  console.error(`The janitor cannot run. ${error.message}`)
  process.exitCode = 1
}
