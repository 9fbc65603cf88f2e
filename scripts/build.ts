// Builds the front ends when their sources are newer than what was built.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..')

async function newest(dir: string): Promise<number> {
  let latest = 0
  for (const entry of await readdir(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.parentPath.includes(`${join(dir, 'dist')}`)) continue
    latest = Math.max(latest, (await stat(join(entry.parentPath, entry.name))).mtimeMs)
  }
  return latest
}

async function builtAt(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs
  } catch {
    return 0
  }
}

/** `force`: build whatever the dates say. Returns the names of what was built. */
export async function buildFrontEnds(force: boolean): Promise<string[]> {
  const shared = await newest(join(root, 'gateway', 'protocol'))
  const done: string[] = []
  for (const [name, page] of [
    ['widget', 'panel.html'],
    ['console', 'index.html'],
    ['api-docs', 'index.html'],
  ] as const) {
    const dir = join(root, name)
    const built = await builtAt(join(dir, 'dist', page))
    if (!force && built > Math.max(await newest(dir), shared)) continue
    await build({ root: dir, configFile: join(dir, 'vite.config.ts'), logLevel: 'warn' })
    done.push(name)
  }
  return done
}

if (import.meta.main) {
  const built = await buildFrontEnds(process.argv.includes('--force'))
  console.log(built.length === 0 ? 'front ends are up to date' : `built ${built.join(' and ')}`)
}
