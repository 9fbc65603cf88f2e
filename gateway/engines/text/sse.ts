// Server-sent events out of a response body: the `data` of each event, whatever the pieces the bytes come in.

import { PartFailure } from './failure.ts'

/** A chunk of an answer has a few hundred bytes; whole tool arguments some thousands. */
const longestEventChars = 1024 * 1024

/** Throws PartFailure `malformed` for an event beyond 1 MB, and what the body throws. */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const lines = new Lines()
  for await (const bytes of body) yield* lines.push(decoder.decode(bytes, { stream: true }))
  // Not every server ends its last event.
  yield* lines.push(`${decoder.decode()}\n\n`)
}

class Lines {
  #rest = ''
  #data: string[] = []

  push(text: string): readonly string[] {
    const events: string[] = []
    const whole = this.#rest + text
    // A carriage return at the end may be half of a line's end.
    const held = whole.endsWith('\r') ? 1 : 0
    const lines = whole.slice(0, whole.length - held).split(/\r\n|\n|\r/)
    this.#rest = (lines.pop() ?? '') + whole.slice(whole.length - held)
    for (const line of lines) {
      if (line !== '') this.#field(line)
      else if (this.#data.length > 0) events.push(this.#take())
    }
    if (this.#rest.length + this.#data.reduce((sum, { length }) => sum + length, 0) > longestEventChars) {
      throw new PartFailure('malformed')
    }
    return events
  }

  /** Comments keep the connection alive; names and ids say nothing here. */
  #field(line: string): void {
    if (!line.startsWith('data:')) return
    this.#data.push(line.startsWith('data: ') ? line.slice(6) : line.slice(5))
  }

  #take(): string {
    const data = this.#data.join('\n')
    this.#data = []
    return data
  }
}
