// What a client sends before anybody can take it (its session is being opened, or it is paused): in order, bounded.

/** More is a client that does not listen. */
const maxBytes = 512 * 1024

type Take = (data: Buffer, binary: boolean) => void

export class Inbox {
  readonly #onFull: () => void
  #kept: { readonly data: Buffer; readonly binary: boolean }[] = []
  #bytes = 0
  #take: Take | undefined
  #isPaused = false

  constructor(onFull: () => void) {
    this.#onFull = onFull
  }

  push(data: Buffer, binary: boolean): void {
    if (this.#take !== undefined && !this.#isPaused) {
      this.#take(data, binary)
      return
    }
    this.#bytes += data.length
    if (this.#bytes > maxBytes) this.#onFull()
    else this.#kept.push({ data, binary })
  }

  open(take: Take): void {
    this.#take = take
    this.#drain()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#drain()
  }

  /** Whoever takes may pause in between. */
  #drain(): void {
    while (this.#take !== undefined && !this.#isPaused) {
      const next = this.#kept.shift()
      if (next === undefined) break
      this.#bytes -= next.data.length
      this.#take(next.data, next.binary)
    }
  }
}
