// The servers of a cascade on loopback: words at once, an answer word by word, its sound at the pace of speech.

import { startScriptedCascade } from '../../test/harness/scripted-cascade.ts'
import { answerBench, readUsage } from './calls.ts'

const mostTurns = 10_000

const server = await startScriptedCascade({ apiKey: 'test', pace: 1 })
server.on(/./, { say: 'We deliver on weekdays. The driver calls first.', wordMs: 20 })
server.hears(...Array.from({ length: mostTurns }, () => 'How does delivery work?'))
answerBench({ url: server.baseUrl, keys: [] }, { usage: readUsage })
