// A real Chromium from npm, with a microphone that plays a file. Nothing is downloaded and nothing needs root.

import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Chromium, { inflate, setupLambdaEnvironment } from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

export interface BrowserOptions {
  /** 48 kHz mono WAV, played once when the microphone is opened. Without it the microphone beeps. */
  readonly microphone?: string
  /** `refused`: the person says no. `none`: there is no device. */
  readonly microphoneState?: 'granted' | 'refused' | 'none'
}

const common = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=document-user-activation-required',
]

function microphoneArgs(options: BrowserOptions): string[] {
  if (options.microphoneState === 'refused') return ['--use-fake-device-for-media-stream', '--deny-permission-prompts']
  if (options.microphoneState === 'none') return ['--use-fake-ui-for-media-stream']
  const file =
    options.microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${options.microphone}%noloop`]
  return ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', ...file]
}

export async function openBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const executablePath = await Chromium.executablePath()
  const launch = (): Promise<Browser> =>
    chromium.launch({
      executablePath,
      args: [...common, ...microphoneArgs(options)],
      ignoreDefaultArgs: ['--mute-audio'],
    })
  try {
    return await launch()
  } catch (error) {
    if (!String(error).includes('shared libraries')) throw error
    // A machine without the libraries of a desktop: the package carries them.
    const bin = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '../bin')
    await inflate(join(bin, 'al2023.tar.br'))
    setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'))
    return launch()
  }
}
