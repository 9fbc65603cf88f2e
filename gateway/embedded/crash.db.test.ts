import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { freshDir, freshStore } from './store.test-support.ts'

const KILLS = 6
const WRITER = fileURLToPath(new URL('./crash-writer.test-support.ts', import.meta.url))

/** So many answers there are at least before each kill, on a slow machine too. */
const leastAnswers = 100

/** Runs the writer until it is killed, some time after it began; returns what it was told is done. */
async function writeAndKill(dir: string, run: number): Promise<string[]> {
  const child: ChildProcess = spawn(process.execPath, [WRITER, dir, `run${run}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the writer ended by itself: ${errors}`)))
    let beganMs: number | undefined
    child.stdout?.on('data', (chunk) => {
      beganMs ??= performance.now()
      output += chunk
      const due = performance.now() - beganMs > 200 + run * 70
      if (due && output.split('\n').length > leastAnswers) resolve()
    })
  })
  child.kill('SIGKILL')
  await ended
  // The last line may be cut off in the middle.
  return output.split('\n').slice(0, -1)
}

test('kill -9 loses no acknowledged write and leaves no half transaction', async () => {
  const dir = freshDir()
  const acknowledged: string[] = []
  for (let run = 0; run < KILLS; run++) acknowledged.push(...(await writeAndKill(dir, run)))
  const said = (kind: string) =>
    acknowledged.filter((line) => line.startsWith(`${kind} `)).map((line) => line.split(' ')[1])
  await using t = await freshStore({ dir })
  const db = t.client.db('crash')
  const ids = async (name: string) => new Set(await db.collection<{ _id: string }>(name).distinct('_id'))

  const inserted = await ids('inserts')
  expect(said('insert').length).toBeGreaterThan(KILLS * 20)
  expect(said('insert').filter((id) => !inserted.has(id ?? ''))).toEqual([])
  const byKey = await db
    .collection('inserts')
    .find({ key: { $gte: '' } })
    .hint('key_1')
    .toArray()
  expect(byKey).toHaveLength(inserted.size)

  const [left, right] = [await ids('left'), await ids('right')]
  expect(left).toEqual(right)
  expect(said('both').length).toBeGreaterThan(KILLS * 5)
  expect(said('both').filter((id) => !left.has(id ?? ''))).toEqual([])

  for (const { _id, n } of await db.collection<{ _id: string; n: number }>('counters').find().toArray()) {
    const told = said('increment').filter((id) => id === _id).length
    // Each kill may hit one increment that was done and not answered, never one that was answered and not done.
    expect(n).toBeGreaterThanOrEqual(told)
    expect(n).toBeLessThanOrEqual(told + KILLS)
  }
  rmSync(dir, { recursive: true })
})
