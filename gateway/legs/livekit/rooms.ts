// Rooms of the LiveKit server over its API.

import { RoomServiceClient } from 'livekit-server-sdk'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import { callerAttribute, type LiveKitKeys } from './tokens.ts'

/** A person waits for the answer. */
const requestSeconds = 5
/** A room nobody enters or comes back to is closed by the server, whatever happens to us. */
const emptySeconds = 60
const departureSeconds = 60

export interface Present {
  readonly identity: string
  /** Of our agents: whom they listen to. */
  readonly listensTo: string | undefined
}

export class Rooms {
  readonly #client: RoomServiceClient
  readonly #log: Log

  constructor(options: LiveKitKeys & { readonly url: string; readonly log: Log }) {
    const { apiKey, apiSecret } = options
    this.#client = new RoomServiceClient(options.url, apiKey, apiSecret, { requestTimeout: requestSeconds })
    this.#log = options.log
  }

  /** The same room when it is there already. Throws `livekit_unavailable`. */
  async create(name: string): Promise<void> {
    await this.#asked(() =>
      this.#client.createRoom({ name, emptyTimeout: emptySeconds, departureTimeout: departureSeconds }),
    )
  }

  /** Throws `livekit_unavailable`. */
  async present(room: string): Promise<readonly Present[]> {
    const all = await this.#asked(() => this.#client.listParticipants(room))
    return all.map(({ identity, attributes }) => ({ identity, listensTo: attributes[callerAttribute] }))
  }

  /** Everybody is sent out. One that cannot be closed now closes itself when it is empty. */
  async close(room: string): Promise<void> {
    await this.#client.deleteRoom(room).catch((error: unknown) => this.#log.debug({ err: error }, 'room not closed'))
  }

  /** Hangs up on a caller by phone. */
  async sendOut(room: string, identity: string): Promise<void> {
    await this.#client
      .removeParticipant(room, identity)
      .catch((error: unknown) => this.#log.debug({ err: error }, 'caller not sent out'))
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw new Problem('livekit_unavailable', undefined, { cause: error })
    }
  }
}
