// What comes of a body that nobody will read.

/** A client that sent somewhat too much shall read why; one that goes on for ever is cut off. */
const mostBytes = 8 * 1024 * 1024
const mostMs = 2_000

/** Resolves when the body has come, or is not worth waiting for. A client that is cut off while it sends sees no answer. */
export async function discard(request: Request): Promise<void> {
  if (request.body === null || request.body.locked) return
  const reader = request.body.getReader()
  const deadlineMs = performance.now() + mostMs
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.length
    if (bytes > mostBytes || performance.now() > deadlineMs) return
  }
}
