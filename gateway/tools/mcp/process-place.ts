// A server that is a process of ours, as the person who runs the gateway named it: a tenant says which, never what.

import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { TenantId } from '../../platform/ids.ts'
import type { Opened, Place } from './place.ts'

export interface OwnProcess {
  readonly name: string
  readonly command: string
  /** `{tenantId}` stands for the tenant: each has a process of its own. */
  readonly args: readonly string[]
  /** All that it gets, beside PATH, HOME and the like. `{tenantId}` as in `args`. */
  readonly env: Readonly<Record<string, string>>
  /** Slugs of those who may use it; undefined: all. */
  readonly tenants: readonly string[] | undefined
}

const messageBytes = 1024 * 1024

export function processPlace(own: OwnProcess, tenantId: TenantId): Place {
  const filled = (text: string) => text.replaceAll('{tenantId}', tenantId)
  return {
    isProcess: true,
    open(): Opened {
      const transport = new StdioClientTransport({
        command: own.command,
        args: own.args.map(filled),
        env: Object.fromEntries(Object.entries(own.env).map(([name, value]) => [name, filled(value)])),
        // Whatever it says there may hold what people said.
        stderr: 'ignore',
        maxBufferSize: messageBytes,
      })
      // Known until the transport is closed only; a process that floods is not asked to end.
      let pid: number | undefined
      return {
        transport,
        async end() {
          await transport.close()
        },
        kill() {
          pid = transport.pid ?? pid
          if (pid !== undefined) killed(pid)
          void transport.close().catch(() => undefined)
        },
      }
    },
  }
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
