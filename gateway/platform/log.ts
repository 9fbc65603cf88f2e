// JSON logs. Audio, transcript text, phone numbers and keys are never logged; `redact` is the second line of defence.

import { type Logger, pino } from 'pino'

export type Log = Logger

export function createLog(level: string, destination?: { write(line: string): void }): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: [
        'token',
        'key',
        'secret',
        'authorization',
        'text',
        'audio',
        'instructions',
        '*.token',
        '*.key',
        '*.secret',
        '*.authorization',
        '*.text',
        '*.audio',
        '*.instructions',
      ],
      censor: '[redacted]',
    },
  }
  return destination === undefined
    ? pino(options, pino.destination({ fd: 2, sync: false }))
    : pino(options, destination)
}
