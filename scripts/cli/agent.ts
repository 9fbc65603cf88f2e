// `parley agent …`: agents as files in a repository, the same files as /v1/agents/:id/export gives.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { diffOf } from '../../gateway/agents/diff.ts'
import type { AgentChange, AgentDetail, AgentDiff, AgentFile, AgentView } from '../../gateway/protocol/agents.ts'
import type { Page } from '../../gateway/protocol/rest.ts'
import { type Client, CommandError } from './client.ts'

export interface Ask {
  readonly client: Client
  /** Slugs, or files to push. */
  readonly names: readonly string[]
  readonly dir: string
  readonly note: string | undefined
  readonly percent: number | undefined
  readonly force: boolean
  readonly live: boolean
  readonly say: (line: string) => void
}

export const commands: Readonly<Record<string, (ask: Ask) => Promise<void>>> = { list, pull, push, deploy, diff }

async function list(ask: Ask): Promise<void> {
  const agents = await all(ask.client)
  const rows = agents.map((each) => [
    ...[each.slug, each.subtype, each.status],
    each.version === 0 ? 'not deployed' : `live ${each.version}`,
    each.draftVersion === each.version ? '' : `draft ${each.draftVersion}`,
  ])
  const widths = [0, 1, 2, 3].map((at) => Math.max(0, ...rows.map((row) => row[at]?.length ?? 0)))
  for (const row of rows)
    ask.say(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  if (rows.length === 0) ask.say('No agents.')
}

async function pull(ask: Ask): Promise<void> {
  const slugs = ask.names.length > 0 ? ask.names : (await all(ask.client)).map((each) => each.slug)
  await mkdir(ask.dir, { recursive: true })
  for (const slug of slugs) {
    const { id } = await agent(ask.client, slug)
    const file = await ask.client.send<AgentFile>('GET', `/v1/agents/${id}/export`)
    const path = pathOf(ask.dir, slug)
    await write(path, file)
    ask.say(`${path}: version ${file.version}`)
  }
}

async function push(ask: Ask): Promise<void> {
  const paths = ask.names.length > 0 ? ask.names.map((name) => named(ask.dir, name)) : await files(ask.dir)
  for (const path of paths) {
    const file = await read(path)
    const body = {
      file,
      ...(ask.force || file.version === 0 ? {} : { basedOn: file.version }),
      ...(ask.note === undefined ? {} : { note: ask.note }),
    }
    const pushed = await ask.client.send<AgentDetail>('POST', '/v1/agents/import', body).catch((error: unknown) => {
      if (error instanceof CommandError && error.code === 'conflict')
        throw new CommandError(`${path}: ${error.message}\n  Pull first, or push with --force.`)
      throw error
    })
    const isNew = pushed.draftVersion !== file.version
    if (isNew) await write(path, { ...file, version: pushed.draftVersion })
    ask.say(`${pushed.slug}: ${isNew ? `draft ${pushed.draftVersion}` : 'unchanged'}`)
  }
}

async function deploy(ask: Ask): Promise<void> {
  if (ask.names.length === 0) throw new CommandError('Which agent? parley agent deploy <slug>', 2)
  for (const slug of ask.names) {
    const { id } = await agent(ask.client, slug)
    const { note, percent } = ask
    const body = { ...(note === undefined ? {} : { note }), ...(percent === undefined ? {} : { percent }) }
    const { version, rollout } = await ask.client.send<AgentDetail>('POST', `/v1/agents/${id}/deploy`, body)
    ask.say(
      rollout === null
        ? `${slug}: version ${version} is live`
        : `${slug}: version ${rollout.version} is live for ${rollout.percent} % of the people, ${version} for the others`,
    )
  }
}

/** The file against the draft there; with --live, or without a file, what is live against the draft. */
async function diff(ask: Ask): Promise<void> {
  const [slug] = ask.names
  if (slug === undefined) throw new CommandError('Which agent? parley agent diff <slug>', 2)
  const { id, version } = await agent(ask.client, slug)
  const local = ask.live ? undefined : await read(pathOf(ask.dir, slug)).catch(absent)
  if (local === undefined && version === 0) throw new CommandError(`${slug} was never deployed.`)
  const changes =
    local === undefined
      ? (await ask.client.send<AgentDiff>('GET', `/v1/agents/${id}/diff?from=live&to=draft`)).changes
      : diffOf((await ask.client.send<AgentFile>('GET', `/v1/agents/${id}/export`)).config, local.config)
  ask.say(local === undefined ? `${slug}: live → draft` : `${slug}: draft → ${pathOf(ask.dir, slug)}`)
  for (const line of changes.flatMap(linesOf)) ask.say(line)
  if (changes.length === 0) ask.say('No difference.')
}

function linesOf({ field, before, after }: AgentChange): string[] {
  const line = (mark: string, value: unknown) => (value === undefined ? [] : [`  ${mark} ${JSON.stringify(value)}`])
  return [field, ...line('-', before), ...line('+', after)]
}

async function all(client: Client): Promise<readonly AgentView[]> {
  const found: AgentView[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Page<AgentView> = await client.send(
      'GET',
      `/v1/agents?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    found.push(...page.items)
    cursor = page.next
  }
  return found
}

async function agent(client: Client, slug: string): Promise<AgentDetail> {
  try {
    return await client.send<AgentDetail>('GET', `/v1/agents/by-slug/${encodeURIComponent(slug)}`)
  } catch (error) {
    if (error instanceof CommandError && error.code === 'not_found')
      throw new CommandError(`There is no agent ${slug}.`)
    throw error
  }
}

const ending = '.agent.json'
const pathOf = (dir: string, slug: string): string => join(dir, `${basename(slug)}${ending}`)
const named = (dir: string, name: string): string => (name.endsWith('.json') ? name : pathOf(dir, name))

async function files(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch(() => [])
  const found = names.filter((each) => each.endsWith(ending)).toSorted()
  if (found.length === 0) throw new CommandError(`No *${ending} in ${dir}.`, 2)
  return found.map((each) => join(dir, each))
}

async function read(path: string): Promise<AgentFile> {
  const text = await readFile(path, 'utf8')
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandError(`${path} is not JSON.`)
  }
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

async function write(path: string, file: AgentFile): Promise<void> {
  await writeFile(path, `${JSON.stringify(file, undefined, 2)}\n`)
}
