import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { MongoClient } from 'mongodb'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { backupEmbeddedMongo, openEmbeddedMongo } from './embedded.ts'
import { endpointOf, uriOf } from './endpoint.ts'
import { startServer } from './server.ts'
import { freshDir, freshStore } from './store.test-support.ts'

const FOLLOWER = fileURLToPath(new URL('./follower.test-support.ts', import.meta.url))
const dirs: string[] = []
const dir = (): string => {
  const made = freshDir()
  dirs.push(made)
  return made
}
afterEach(() => {
  for (const made of dirs.splice(0)) rmSync(made, { recursive: true, force: true })
})

/** Starts a process on the store and resolves with its role once it has written. */
async function start(where: string, then: 'wait' | 'end'): Promise<{ child: ChildProcess; role: string }> {
  const child = spawn(process.execPath, [FOLLOWER, where, then], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const role = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the process ended without a word')))
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()))
  })
  return { child, role }
}
const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => (child.exitCode !== null ? resolve(child.exitCode) : child.once('exit', resolve)))

test('a second process attaches, and takes over when the owner is killed with -9', async () => {
  const where = dir()
  const { child, role } = await start(where, 'wait')
  expect(role).toBe('owner')
  await using t = await freshStore({ dir: where })
  expect(t.store.owner).toBe(false)
  expect(await t.db.collection('visits').countDocuments()).toBe(1)
  child.kill('SIGKILL')
  await exitOf(child)
  await expect.poll(() => t.store.owner, { timeout: 5_000 }).toBe(true)
  await t.db.collection('visits').insertOne({ after: true })
  expect(await t.db.collection('visits').countDocuments()).toBe(2)
})

test('of several followers one takes over and the others follow it', async () => {
  const where = dir()
  const { child } = await start(where, 'wait')
  await using a = await freshStore({ dir: where })
  await using b = await freshStore({ dir: where })
  child.kill('SIGKILL')
  await expect.poll(() => [a, b].filter((t) => t.store.owner).length, { timeout: 5_000 }).toBe(1)
  await a.db.collection('visits').insertOne({ by: 'a' })
  await b.db.collection('visits').insertOne({ by: 'b' })
  expect(await a.db.collection('visits').countDocuments()).toBe(3)
  const [owner, other] = a.store.owner ? [a, b] : [b, a]
  await owner.store.close()
  await expect.poll(() => other.store.owner, { timeout: 5_000 }).toBe(true)
  expect(await other.db.collection('visits').countDocuments()).toBe(3)
})

test('a store left behind by a killed owner, socket file included, opens at once', async () => {
  const where = dir()
  const { child } = await start(where, 'wait')
  child.kill('SIGKILL')
  await exitOf(child)
  expect(existsSync(join(where, 'mongo.sock'))).toBe(true)
  await using t = await freshStore({ dir: where })
  expect(t.store.owner).toBe(true)
  expect(await t.db.collection('visits').countDocuments()).toBe(1)
})

test('an open store does not keep a process alive that has nothing else to do', async () => {
  const where = dir()
  const owner = await start(where, 'end')
  expect(await exitOf(owner.child)).toBe(0)
  await using t = await freshStore({ dir: where })
  expect(await t.db.collection('visits').countDocuments()).toBe(1)
  const follower = await start(where, 'end')
  expect(follower.role).toBe('follower')
  expect(await exitOf(follower.child)).toBe(0)
})

test('only the owner of the files can reach the store', async () => {
  const where = join(dir(), 'data')
  await using t = await freshStore({ dir: where })
  expect(t.store.uri).toContain('mongo.sock')
  expect(statSync(where).mode & 0o777).toBe(0o700)
  await t.db.collection('c').insertOne({ a: 1 })
  for (const file of ['mongo.sock', 'data.sqlite', 'data.sqlite-wal'])
    expect(statSync(join(where, file)).mode & 0o777, file).toBe(0o600)
})

test('a directory whose path is too long for a socket works too', async () => {
  const where = join(dir(), 'x'.repeat(90))
  await using t = await freshStore({ dir: where })
  await t.db.collection('c').insertOne({ a: 1 })
  const socket = decodeURIComponent(new URL(t.store.uri).host)
  onTestFinished(() => rmSync(dirname(socket), { recursive: true }))
  expect(socket).not.toContain('x'.repeat(90))
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700)
})

test('where there are no socket files, a loopback port is used, and used again', async () => {
  const where = dir()
  expect(endpointOf(where, 'win32')).toEqual({ port: 0 })
  const first = await startServer({ dir: where, sync: 'NORMAL' }, { port: 0 })
  writeFileSync(join(where, 'mongo.port'), String(first.port))
  const endpoint = endpointOf(where, 'win32')
  expect(endpoint).toEqual({ port: first.port })
  const client = await new MongoClient(uriOf(endpoint)).connect()
  await client.db('test').collection('c').insertOne({ a: 1 })
  await client.close()
  await first.close()
  const second = await startServer({ dir: where, sync: 'NORMAL' }, endpoint)
  expect(second.port).toBe(first.port)
  await second.close()
})

test('a backup taken while others write is complete, consistent and opens as a store', async () => {
  await using t = await freshStore({ dir: dir() })
  const [left, right] = [t.db.collection<{ _id: number }>('left'), t.db.collection<{ _id: number }>('right')]
  await left.createIndex({ at: 1 })
  let stop = false
  let acknowledged = 0
  const writing = (async () => {
    for (let _id = 1; !stop; _id++) {
      await t.client.withSession((session) =>
        session.withTransaction(async () => {
          await left.insertOne({ _id }, { session })
          await right.insertOne({ _id }, { session })
        }),
      )
      acknowledged = _id
    }
  })()
  await expect.poll(() => acknowledged).toBeGreaterThan(50)
  const [before, copy] = [acknowledged, join(dir(), 'copy.sqlite')]
  await backupEmbeddedMongo(t.dir, copy)
  stop = true
  await writing
  expect(statSync(copy).mode & 0o777).toBe(0o600)

  const restored = dir()
  copyFileSync(copy, join(restored, 'data.sqlite'))
  await using r = await freshStore({ dir: restored })
  const [lefts, rights] = await Promise.all(['left', 'right'].map((name) => r.db.collection(name).countDocuments()))
  expect(lefts).toBe(rights)
  expect(lefts).toBeGreaterThanOrEqual(before)
  expect(await r.db.collection('left').indexes()).toHaveLength(2)
})

test('a backup never overwrites, and needs a store', async () => {
  await using t = await freshStore({ dir: dir() })
  const target = join(dir(), 'copy.sqlite')
  writeFileSync(target, 'precious')
  await expect(backupEmbeddedMongo(t.dir, target)).rejects.toThrow('never overwrites')
  expect(readFileSync(target, 'utf8')).toBe('precious')
  const empty = dir()
  await expect(backupEmbeddedMongo(empty, join(empty, 'copy.sqlite'))).rejects.toThrow('no embedded store')
  expect(existsSync(join(empty, 'data.sqlite'))).toBe(false)
})

test('a data file that is no database is reported, and the directory stays free', async () => {
  const where = dir()
  writeFileSync(join(where, 'data.sqlite'), 'this is not a database, and it is long enough to be looked at'.repeat(20))
  await expect(openEmbeddedMongo(where)).rejects.toThrow(/^the embedded store in .* cannot be opened: .*not a database/)
  rmSync(join(where, 'data.sqlite'))
  await using t = await freshStore({ dir: where })
  expect(t.store.owner).toBe(true)
})

test('a data file with damaged pages is reported', async () => {
  const where = dir()
  {
    await using t = await freshStore({ dir: where })
    await t.db.collection('c').insertMany(Array.from({ length: 500 }, (_, n) => ({ n, text: 'x'.repeat(200) })))
  }
  const file = join(where, 'data.sqlite')
  const bytes = readFileSync(file)
  bytes.fill(0xab, 100, 8_192)
  writeFileSync(file, bytes)
  await expect(openEmbeddedMongo(where)).rejects.toThrow(/cannot be opened: .*(malformed|corrupt)/)
})

test('a directory that cannot be made or used is reported', async () => {
  const where = dir()
  writeFileSync(join(where, 'file'), '')
  await expect(openEmbeddedMongo(join(where, 'file'))).rejects.toThrow('cannot be opened')
  mkdirSync(join(where, 'taken', 'data.sqlite'), { recursive: true })
  await expect(openEmbeddedMongo(join(where, 'taken'))).rejects.toThrow('cannot be opened')
})

test('the death of the worker is reported once, and the store can be opened again', async () => {
  const where = dir()
  const failures: Error[] = []
  const made = new Promise<Worker>((resolve) => process.once('worker', resolve))
  const store = await openEmbeddedMongo(where, { onFailure: (error) => failures.push(error) })
  const client = await new MongoClient(store.uri, { serverSelectionTimeoutMS: 500 }).connect()
  await client.db('test').collection('c').insertOne({ a: 1 })
  await (await made).terminate()
  await expect.poll(() => failures.length).toBe(1)
  expect(failures[0]?.message).toMatch(/^the embedded store in .* failed: /)
  expect(store.owner).toBe(false)
  await client.close()
  await store.close()
  await using again = await freshStore({ dir: where })
  expect(await again.db.collection('c').countDocuments()).toBe(1)
})
