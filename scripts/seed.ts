// `npm run seed`: seeds the demo tenants without starting the gateway. Seeding twice changes nothing.

import { createSeeder } from '../gateway/app.ts'
import { loadEnvFile, readConfig } from '../gateway/config.ts'

loadEnvFile()
await using seeder = await createSeeder(readConfig())
const { apiKey } = await seeder.run()
console.log(
  apiKey === undefined
    ? 'The demo tenants are seeded.'
    : `The demo tenants are seeded. API key of ProductCo (shown once): ${apiKey}`,
)
