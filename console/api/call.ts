// What the calls of one tenant are made with.

export type Query = Readonly<Record<string, string | number | undefined>>

/** Every call carries the tenant; every failure is an ApiProblem. */
export interface TenantCall {
  get<T>(path: string, query?: Query): Promise<T>
  post<T>(path: string, body?: unknown): Promise<T>
  put<T>(path: string, body: unknown): Promise<T>
  patch<T>(path: string, body: unknown): Promise<T>
  remove(path: string): Promise<unknown>
  /** Server-sent events; read with `readEvents`. */
  stream(path: string, body: unknown, signal: AbortSignal): Promise<Response>
  /** The file's bytes as they are; what they are is for the gateway to see. */
  upload<T>(path: string, file: File, query?: Query): Promise<T>
  download(path: string, query?: Query): Promise<Blob>
}
