#!/usr/bin/env node
// `npx parley …`: runs the command line in the Node 24 that came with the packages, whatever `node` is on the path.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const main = join(here, 'cli', 'main.ts')
const own = join(here, '..', 'node_modules', '.bin', process.platform === 'win32' ? 'node.exe' : 'node')

if (process.features.typescript) {
  await import(main)
} else if (existsSync(own)) {
  const { status, signal } = spawnSync(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exitCode = signal === null ? (status ?? 1) : 1
} else {
  console.error('parley needs Node 24: run `npm ci` in its folder, which brings it.')
  process.exitCode = 2
}
