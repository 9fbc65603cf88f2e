// The live socket for React: one per chosen tenant, below the shell.

import { createContext, type ReactNode, use, useEffect, useState, useSyncExternalStore } from 'react'
import { LiveSocket, type Socket } from './live-socket.ts'
import type { LiveState } from './live-state.ts'
import { createLiveStore, type LiveStore } from './live-store.ts'

interface Live {
  readonly store: LiveStore
  readonly socket: LiveSocket
}

const LiveContext = createContext<Live | undefined>(undefined)

/** Give it `key={tenant}`: another tenant is another socket and another state. */
export function LiveProvider({ tenant, children }: { tenant: string; children: ReactNode }) {
  const [live] = useState(() => openLive(tenant))
  useEffect(() => {
    const hurry = () => {
      if (document.visibilityState === 'visible') live.socket.hurry()
    }
    live.socket.start()
    window.addEventListener('online', hurry)
    document.addEventListener('visibilitychange', hurry)
    return () => {
      window.removeEventListener('online', hurry)
      document.removeEventListener('visibilitychange', hurry)
      live.socket.stop()
    }
  }, [live])
  return <LiveContext value={live}>{children}</LiveContext>
}

/** `select` must return something that stays the same while its part of the state does. */
export function useLive<T>(select: (state: LiveState) => T): T {
  const { store } = useLiveContext()
  return useSyncExternalStore(store.subscribe, () => select(store.get()))
}

/** Subscribes to the turns of a session while mounted and `active`. */
export function useWatch(sessionId: string, active: boolean): void {
  const { socket } = useLiveContext()
  useEffect(() => (active ? socket.watch(sessionId) : undefined), [socket, sessionId, active])
}

function useLiveContext(): Live {
  const live = use(LiveContext)
  if (live === undefined) throw new Error('useLive outside LiveProvider')
  return live
}

function openLive(tenant: string): Live {
  // A timer, not a frame: background tabs get no frames but must not fall behind.
  const store = createLiveStore((notify) => setTimeout(notify, 40))
  const url = new URL(`/v1/console/live?tenant=${encodeURIComponent(tenant)}`, window.location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const open = (): Socket => {
    const web = new WebSocket(url)
    const socket: Socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: (text) => web.send(text),
      close: () => web.close(),
    }
    web.onopen = () => socket.onopen?.()
    web.onmessage = (message) => socket.onmessage?.(message)
    web.onclose = (close) => socket.onclose?.(close)
    return socket
  }
  return { store, socket: new LiveSocket({ open, dispatch: store.dispatch, random: Math.random }) }
}
