// Strokes on a 24 × 24 grid.

const paths = {
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M12 19V5M5.5 11.5 12 5l6.5 6.5',
  mic: 'M12 3.5a3 3 0 0 1 3 3V12a3 3 0 0 1-6 0V6.5a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
  micOff:
    'M4 4l16 16M9 9v3a3 3 0 0 0 4.8 2.4M15 11V6.5a3 3 0 0 0-5.8-1M5.5 11.5a6.5 6.5 0 0 0 10 5.5M18.4 12.5l.1-1M12 18v3',
  hangUp: 'M3.5 14.2c4.7-4.6 12.3-4.6 17 0l-1.7 2.6-4.3-1.4v-2.5a10.5 10.5 0 0 0-5 0v2.5l-4.3 1.4z',
  captions: 'M4 6.5h16v11H4zM10.5 10.8a1.8 1.8 0 1 0 0 2.4M16.5 10.8a1.8 1.8 0 1 0 0 2.4',
  wave: 'M5 10.5v3M8.5 8v8M12 5v14M15.5 8.5v7M19 10.5v3',
  alert: 'M12 8v5M12 16.5v.1M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z',
} as const

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
