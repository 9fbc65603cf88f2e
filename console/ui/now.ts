// One clock per period for everything that ticks.

import { useSyncExternalStore } from 'react'

interface Ticker {
  nowMs: number
  timer: ReturnType<typeof setInterval> | undefined
  readonly listeners: Set<() => void>
}

const tickers = new Map<number, Ticker>()

export function useNow(periodMs: number): number {
  const ticker = tickerOf(periodMs)
  return useSyncExternalStore(
    (listener) => listen(ticker, periodMs, listener),
    () => ticker.nowMs,
  )
}

function tickerOf(periodMs: number): Ticker {
  const known = tickers.get(periodMs)
  if (known !== undefined) return known
  const ticker: Ticker = { nowMs: Date.now(), timer: undefined, listeners: new Set() }
  tickers.set(periodMs, ticker)
  return ticker
}

function listen(ticker: Ticker, periodMs: number, listener: () => void): () => void {
  ticker.listeners.add(listener)
  if (ticker.timer === undefined) {
    ticker.nowMs = Date.now()
    ticker.timer = setInterval(() => {
      ticker.nowMs = Date.now()
      for (const one of ticker.listeners) one()
    }, periodMs)
  }
  return () => {
    ticker.listeners.delete(listener)
    if (ticker.listeners.size > 0) return
    clearInterval(ticker.timer)
    ticker.timer = undefined
  }
}
