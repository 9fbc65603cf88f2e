// `npm run secrets:rotate`: after a change of PARLEY_MASTER_KEY (the old one in PARLEY_MASTER_KEY_PREVIOUS) wraps every data
// key anew, then gives every tenant a new data key. May run beside gateways, and again when it was broken off.

import { createSecretRotation } from '../gateway/app.ts'
import { loadEnvFile, readConfig } from '../gateway/config.ts'

loadEnvFile()
await using rotation = await createSecretRotation(readConfig())
const { wrapped, tenants } = await rotation.run()
console.log(`${wrapped} data keys are wrapped anew, the secrets of ${tenants} tenants encrypted anew.`)
