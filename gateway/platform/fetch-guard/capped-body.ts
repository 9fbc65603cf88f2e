// A body that ends where our patience does: read only as fast as it is taken, counted as unpacked.

export interface BodyCap {
  readonly maxBytes: number
  /** Once, however it ends. */
  readonly onEnd: () => void
  /** What a failure is called for whoever reads; undefined: the body grew too large. */
  readonly problem: (error: unknown) => unknown
}

export function cappedBody(body: ReadableStream<Uint8Array>, cap: BodyCap): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let taken = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          taken += value?.byteLength ?? 0
          if (taken > cap.maxBytes) throw tooLarge
          if (!done) return controller.enqueue(value)
          cap.onEnd()
          controller.close()
        } catch (error) {
          cap.onEnd()
          controller.error(cap.problem(error === tooLarge ? undefined : error))
        }
      },
      async cancel(reason) {
        await reader.cancel(reason).catch(() => undefined)
        cap.onEnd()
      },
    },
    { highWaterMark: 0 },
  )
}

const tooLarge = new Error('too large')
