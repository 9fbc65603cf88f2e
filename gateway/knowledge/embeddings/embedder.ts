// The port of models that turn texts into vectors.

export interface Embedder {
  readonly model: string
  /** One vector of length 1 for each text, in their order. Throws where the model does not answer. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array<ArrayBuffer>[]>
}
