// The gzip budgets of what a visitor downloads.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'widget/dist')
const gzip = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length
const budget = z
  .object({ loader: z.number(), panel: z.number() })
  .parse(JSON.parse(readFileSync(join(root, 'widget/budget.json'), 'utf8')))

const loader = gzip(join(dist, 'loader.js'))
const panel = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(html|js|css)$/.test(entry.name) && !/^(loader|demo)/.test(entry.name))
  .reduce((sum, entry) => sum + gzip(join(entry.parentPath, entry.name)), 0)
console.log(`widget loader ${loader} of ${budget.loader} B, panel ${panel} of ${budget.panel} B (gzip)`)
process.exitCode = loader <= budget.loader && panel <= budget.panel ? 0 : 1
