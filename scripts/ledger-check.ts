// `npm run ledger:check`: replays the entries of every tenant and compares them with its account. One line per finding on
// standard output, exit code 1 when there is one, 2 when the check could not run. A tenant with a finding spends nothing
// new until a later check finds none. Safe beside gateways.

import { createLedgerCheck } from '../gateway/app.ts'
import { ConfigError, loadEnvFile, readConfig } from '../gateway/config.ts'
import { StartError } from '../gateway/stores.ts'

try {
  loadEnvFile()
  await using check = await createLedgerCheck(readConfig())
  const findings = await check.run()
  for (const { tenantId, message } of findings) console.log(`${tenantId}: ${message}`)
  console.error(findings.length === 0 ? 'ledger: entries and accounts agree' : `ledger: ${findings.length} findings`)
  process.exitCode = findings.length === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartError)) throw error
  console.error(`The ledger cannot be checked. ${error.message}`)
  process.exitCode = 2
}
