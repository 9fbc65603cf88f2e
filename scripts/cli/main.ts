// The command line. Address and key come from flags or from PARLEY_URL and PARLEY_API_KEY.

import { parseArgs } from 'node:util'
import { commands } from './agent.ts'
import { CommandError, clientOf } from './client.ts'

const usage = `Usage: parley agent <command>

  list                       the agents, with what is live and what is drafted
  pull [slug…]               writes the drafts to files
  push [slug|file…]          makes the files new drafts; refused when a draft has changed since it was pulled
  deploy <slug…>             makes the drafts live
  diff <slug>                the file against the draft; with --live: what is live against the draft

  --url <address>            of the gateway; else PARLEY_URL, else http://localhost:8787
  --key <API key>            else PARLEY_API_KEY. push needs agents.write, deploy agents.deploy
  --dir <folder>             where the files are; default: agents
  --note <text>              why, for the history (push, deploy)
  --percent <1-100>          deploy for that share of the people
  --force                    push over a draft that has changed`

async function run(): Promise<void> {
  const { values, positionals } = parse()
  const [area, verb = '', ...names] = positionals
  const command = area === 'agent' ? commands[verb] : undefined
  if (values.help || command === undefined) {
    if (!values.help) throw new CommandError(usage, 2)
    console.log(usage)
    return
  }
  const key = values.key ?? process.env.PARLEY_API_KEY
  if (key === undefined || key === '') throw new CommandError('Give an API key: --key or PARLEY_API_KEY.', 2)
  const url = values.url ?? process.env.PARLEY_URL ?? 'http://localhost:8787'
  if (URL.parse(url) === null) throw new CommandError(`${url} is no address.`, 2)
  const { note, force, live, dir } = values
  const client = clientOf({ url, key })
  await command({ client, names, dir, note, percent: percentOf(values.percent), force, live, say: console.log })
}

function parse() {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ...{ url: text, key: text, note: text, percent: text, dir: { ...text, default: 'agents' } },
        ...{ force: flag, live: flag, help: { ...flag, short: 'h' } },
      },
    })
  } catch (error) {
    throw new CommandError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, 2)
  }
}

function percentOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (/^([1-9]\d?|100)$/.test(given)) return Number(given)
  throw new CommandError('--percent is a whole number from 1 to 100.', 2)
}

try {
  await run()
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = error.exitCode
}
