// The process: config → app → wait → drain.

import { createApp } from './app.ts'
import { ConfigError, loadEnvFile, readConfig } from './config.ts'
import { StartError } from './stores.ts'

const say = (line: string): boolean => process.stdout.write(`${line}\n`)

try {
  loadEnvFile()
  const config = readConfig()
  const app = await createApp(config)
  const { url, demoApiKey, signInUrl, integrations } = await app.start()
  say(`Parley is ready.${config.PARLEY_DEMO ? `\n  demo page   ${url}/demo` : ''}`)
  say(`  console     ${signInUrl}   (once, within 30 minutes)\n  API         ${url}/v1`)
  if (demoApiKey !== undefined) say(`  demo key    ${demoApiKey}   (ProductCo; shown once)`)
  for (const line of integrations) say(`  ${line}`)
  let stopping = false
  const stop = (): void => {
    if (stopping) process.exit(1)
    stopping = true
    app.drain().then(
      () => process.exit(process.exitCode ?? 0),
      (error: unknown) => {
        process.stderr.write(`Parley did not stop in order: ${String(error)}\n`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
} catch (error) {
  // An expected reason is a sentence; anything else is a defect and keeps its stack.
  const known = error instanceof ConfigError || error instanceof StartError
  process.stderr.write(
    `Parley cannot start. ${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  )
  process.exit(1)
}
