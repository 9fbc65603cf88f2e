// What loader and panel say to each other over one MessageChannel. Nothing of the conversation leaves the panel.

/** Loader → panel, by window.postMessage with the exact origin, carrying the port for everything else. */
export interface Init {
  readonly parley: 'init'
  readonly visible: boolean
}

/** Loader → panel. */
export type HostMessage =
  | { readonly t: 'visible'; readonly on: boolean }
  | { readonly t: 'say'; readonly text: string }
  | { readonly t: 'call' }
  | { readonly t: 'hangup' }
  /** What an action came to, as JSON text. */
  | { readonly t: 'result'; readonly id: string; readonly ok: boolean; readonly json: string }

/** Panel → loader. `message` and `error` reach the page through `parley('on', …)`. */
export type PanelMessage =
  | { readonly t: 'ready' }
  | { readonly t: 'close' }
  /** The agent asks the page to do something. */
  | { readonly t: 'action'; readonly id: string; readonly name: string; readonly args: unknown }
  | { readonly t: 'accent'; readonly accent: string }
  | { readonly t: 'unread'; readonly count: number }
  | { readonly t: 'call'; readonly on: boolean }
  /** A session is in view, and may be on the next page too: kept as a string, as storage does. */
  | { readonly t: 'session'; readonly on: '' | '1' }
  | { readonly t: 'message'; readonly role: 'user' | 'agent'; readonly voice: boolean }
  | { readonly t: 'error'; readonly code: string }
