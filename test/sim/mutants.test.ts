// The test of the test: without any one part of the protocol the simulation finds a breach, and soon.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { mutants, rareMutants } from './mutants.ts'

const run = promisify(execFile)
const worlds = fileURLToPath(import.meta.resolve('./mutant-run.ts'))
const tests = fileURLToPath(import.meta.resolve('./mutant-tests.ts'))
/** Each shows itself in one world of twenty at least. */
const most = 400
/** Without a fault in it. */
const controls = 40

async function hunt(name: string, most: number): Promise<{ seed: number; breaches: readonly string[] }> {
  const { stdout } = await run(process.execPath, [worlds, name, String(most)])
  return JSON.parse(stdout)
}

async function check(name: string, ...none: string[]): Promise<{ failed: readonly string[]; ran: number }> {
  const { stdout } = await run(process.execPath, [tests, name, ...none])
  return JSON.parse(stdout.slice(stdout.lastIndexOf('{"failed"')))
}

describe('a mutant is found', { timeout: 300_000 }, () => {
  test.for(mutants)('$name', async ({ name, rules }) => {
    const { seed, breaches } = await hunt(name, most)
    expect(breaches.length, `not found in ${seed} worlds`).toBeGreaterThan(0)
    const found = breaches.map((each) => each.split(':')[0] ?? '')
    expect(
      found.some((rule) => rules.includes(rule)),
      `seed ${seed}: ${breaches.join('; ')}`,
    ).toBe(true)
  })

  test('and what is none is not', async () => {
    expect(await hunt('none', controls)).toEqual({ seed: controls, breaches: [] })
  })
})

describe('a rare mutant is found by a test of its slice', { timeout: 120_000 }, () => {
  test.for(rareMutants)('$name', async ({ name, rule }) => {
    const { failed } = await check(name)
    expect(
      failed.some((each) => each.startsWith(`[${rule}]`)),
      `failed: ${failed.join('; ')}`,
    ).toBe(true)
  })

  test('which fails for nothing else', async () => {
    const [{ name } = { name: '' }] = rareMutants
    const { failed, ran } = await check(name, 'none')
    expect(failed).toEqual([])
    expect(ran).toBeGreaterThan(0)
  })
})

test('each mutant has a name of its own', () => {
  const names = [...mutants, ...rareMutants].map((each) => each.name)
  expect(new Set(names).size).toBe(names.length)
})
