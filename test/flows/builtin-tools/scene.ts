// One built-in tool called through the loop of an agent: a message comes in by HTTP, a scripted model asks for the tool, the
// gateway runs it and tells the model what came of it. A file beside this one holds the cases of a category.

import { z } from 'zod'
import type { AgentConfigInput } from '../../../gateway/agents/agents.ts'
import type { TenantId } from '../../../gateway/platform/ids.ts'
import type { EntityView } from '../../../gateway/protocol/records.ts'
import type { ChatPlace, Shop } from '../../harness/chat-place.ts'
import type { FakeCalCom } from '../../harness/fake-cal-com.ts'
import { type FakeProviders, type Secrets, setSecrets } from '../../harness/fake-providers.ts'

/** The gateway, and whom its tools ask outside. */
export interface ToolPlace extends ChatPlace {
  readonly calCom: FakeCalCom
  readonly providers: FakeProviders
}

export interface ToolCase {
  /** As the model calls it. */
  readonly tool: string
  /** In the inventory; in the test's name. */
  readonly id: string
  /** A sentence: what is shown. */
  readonly says: string
  /** Beside the tool itself: those that the case calls too. */
  readonly with?: readonly string[]
  readonly config?: AgentConfigInput
  run(scene: Scene): Promise<void>
}

/** What the model was told; with `error` the call failed. */
export type Told = Readonly<Record<string, unknown>> & { readonly error?: { readonly code: string } }

export interface CallOptions {
  /** Whose message it is, as the tenant's backend names them. Left out: nobody's. */
  readonly contact?: { readonly email?: string; readonly phone?: string; readonly id?: string }
}

export interface Scene {
  readonly place: ToolPlace
  readonly providers: FakeProviders
  readonly shop: Shop
  readonly tenantId: TenantId
  /** The agent calls the tool once. */
  call(tool: string, args: object, options?: CallOptions): Promise<Told>
  /** Everything that the store holds of an entity type, oldest first. */
  records(type: string): Promise<readonly EntityView[]>
  /** The tenant sets them. */
  secrets(secrets: Secrets): Promise<void>
  /** The case's own tool is meant to be run for this shop, once more than before. */
  another(config?: AgentConfigInput): Promise<Scene>
}

let messages = 0

export async function openScene(place: ToolPlace, of: ToolCase): Promise<Scene> {
  const enabledTools = [of.tool, ...(of.with ?? [])]
  const scene = async (config: AgentConfigInput = {}): Promise<Scene> => {
    const shop = await place.shop({ enabledTools, ...of.config, ...config })
    const everything = place.gateway.app.slices.identity.authFor.system(shop.tenantId)
    const records = async (type: string) => {
      const mine = place.gateway.app.slices.entities.of(shop.tenantId).as(everything)
      return (await mine.list(type, { sort: 'createdAt', limit: 200 })).items
    }
    const secrets = (all: Secrets) => setSecrets(place.gateway.app.slices.identity.secrets, shop.tenantId, all)
    const own = { place, providers: place.providers, shop, tenantId: shop.tenantId, call: calling(place, shop) }
    return { ...own, records, secrets, another: scene }
  }
  return scene()
}

/** All at once. */
export function callEach(
  scene: Scene,
  tool: string,
  calls: readonly { readonly args: object; readonly options?: CallOptions }[],
): Promise<readonly Told[]> {
  return Promise.all(calls.map(({ args, options }) => scene.call(tool, args, options)))
}

function calling(place: ChatPlace, shop: Shop): Scene['call'] {
  return async (tool, args, options = {}) => {
    const message = `message ${++messages}`
    place.model.on(new RegExp(`^${message}$`), { calls: [{ name: tool, arguments: JSON.stringify(args) }] })
    await shop.say(message, options.contact === undefined ? {} : { contact: options.contact })
    return told(place, message)
  }
}

const toolMessage = z.object({ role: z.literal('tool'), content: z.string() })
const anything = z.looseObject({ error: z.looseObject({ code: z.string() }).optional() })

/** The output that stands right behind this message in what the model was asked next. */
function told(place: ChatPlace, message: string): Told {
  const asked = place.model.chats.findLast(
    ({ messages: all }) => all.some((each) => each.content === message) && all.at(-1)?.role === 'tool',
  )
  const output = toolMessage.safeParse(asked?.messages.at(-1))
  if (!output.success) throw new Error(`the model was told nothing after ${message}`)
  const { error, ...rest } = anything.parse(JSON.parse(output.data.content))
  return error === undefined ? rest : { ...rest, error }
}
