// A program that ends by itself: whoever started it may be killed, and a loop in it hears of nothing.

/** Node with these arguments, ended by the system after so many seconds of work. Windows has no such bound. */
export function boundedNode(args: readonly string[], cpuSeconds: number): readonly [command: string, args: string[]] {
  if (process.platform === 'win32') return [process.execPath, [...args]]
  return ['/bin/sh', ['-c', `ulimit -t ${cpuSeconds}; exec "$0" "$@"`, process.execPath, ...args]]
}
