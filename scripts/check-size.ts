// The gzip budgets of what a visitor downloads, and of the page of the API.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'widget/dist')
const gzip = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length
/** `later`: chunks that are fetched only by those who need them; each has a budget of its own. */
const budget = z
  .object({ loader: z.number(), panel: z.number(), later: z.record(z.string(), z.number()) })
  .parse(JSON.parse(readFileSync(join(root, 'widget/budget.json'), 'utf8')))

const later = Object.keys(budget.later)
const isLater = (name: string): string | undefined => later.find((each) => name.startsWith(`${each}-`))
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(html|js|css)$/.test(entry.name) && !/^(loader|demo)/.test(entry.name))
  .map((entry) => ({ name: entry.name, bytes: gzip(join(entry.parentPath, entry.name)) }))

const loader = gzip(join(dist, 'loader.js'))
const panel = files.filter(({ name }) => isLater(name) === undefined).reduce((sum, { bytes }) => sum + bytes, 0)
const largest = later.map((kind) => {
  const bytes = files.filter(({ name }) => isLater(name) === kind).map((each) => each.bytes)
  // A chunk that was joined with another one is no longer fetched later.
  return {
    kind,
    bytes: bytes.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...bytes),
    most: budget.later[kind] ?? 0,
  }
})
const told = largest.map(({ kind, bytes, most }) => `${kind} ${bytes} of ${most} B`)
console.log(
  `widget loader ${loader} of ${budget.loader} B, panel ${panel} of ${budget.panel} B, later: ${told.join(', ')} (gzip)`,
)
const page = readdirSync(join(root, 'api-docs/dist'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .reduce((sum, entry) => sum + gzip(join(entry.parentPath, entry.name)), 0)
const most = z.object({ page: z.number() }).parse(JSON.parse(readFileSync(join(root, 'api-docs/budget.json'), 'utf8')))
console.log(`page of the API ${page} of ${most.page} B (gzip)`)
const fits =
  page <= most.page &&
  loader <= budget.loader &&
  panel <= budget.panel &&
  largest.every(({ bytes, most }) => bytes <= most)
process.exitCode = fits ? 0 : 1
