// A tool as the console and a tenant's developers see it.

/** Descriptors hold no secret: they name one. */
export interface ToolView {
  readonly name: string
  /** Of a built-in tool, or `http`, `mcp`, `client`, `code`. */
  readonly kind: string
  readonly category: string
  readonly description: string
  /** When to use it and how, for the prompt. */
  readonly instructions: string
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** What its kind needs: the address of a request, a server's tool. Empty for what is built in. */
  readonly spec: Readonly<Record<string, unknown>>
  readonly readOnly: boolean
  readonly retry: 'again' | 'keyed' | 'unknown'
  /** Micro-credits per call; null: as the tenant's prices say. */
  readonly creditCostMicro: number | null
  readonly timeoutMs: number
  /** False: it comes with the gateway. */
  readonly own: boolean
}
