import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { boundedNode } from './bounded.ts'

test.skipIf(process.platform === 'win32')(
  '[knowledge] a reading process in a loop ends without anybody who would end it',
  async () => {
    const child = spawn(...boundedNode(['-e', 'for (;;);'], 1), { stdio: 'ignore', env: {} })
    try {
      const [code, signal] = await once(child, 'exit')
      expect(code).toBeNull()
      expect(['SIGKILL', 'SIGXCPU']).toContain(signal)
    } finally {
      child.kill('SIGKILL')
    }
  },
  30_000,
)
