// A gateway that kills itself in the middle of one step of a message, once it was armed by SIGUSR2. Argument: the step.

import { createApp } from '../../gateway/app.ts'
import { readConfig } from '../../gateway/config.ts'

const [, , dies] = process.argv
let armed = false
process.on('SIGUSR2', () => {
  armed = true
  process.stdout.write('armed\n')
})
const app = await createApp(readConfig(), {
  onChatStep(name, at) {
    if (armed && name === dies && at === 'done') process.kill(process.pid, 'SIGKILL')
  },
})
const { url } = await app.start()
process.stdout.write(`  API         ${url}/v1\n`)
