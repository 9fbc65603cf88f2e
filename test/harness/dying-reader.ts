// A gateway that takes in a long document for the demo tenant and kills itself while it reads it.

import { setTimeout as delay } from 'node:timers/promises'
import { createApp } from '../../gateway/app.ts'
import { readConfig } from '../../gateway/config.ts'
import { authAs } from './auth.ts'
import { pdfOf } from './documents.ts'

const app = await createApp(readConfig())
const { url } = await app.start()
const tenant = await app.slices.tenants.bySlug('productco')
if (tenant === undefined) throw new Error('the demo tenant is missing')
const sources = app.slices.knowledge.of(tenant.id).sources(authAs(tenant.id))
const pages = Array.from({ length: 300 }, (_, n) => [`Chapter ${n}`, `The zebra number ${n} sleeps in the stable.`])
const { id } = await sources.upload({ name: 'Zebras.pdf', type: '', bytes: pdfOf(pages) })
process.stdout.write(`source ${id}\n  API         ${url}/v1\n`)
while ((await sources.get(id))?.state !== 'reading') await delay(5)
process.kill(process.pid, 'SIGKILL')
