// One call's sound: audio context, microphone, worklets. Knows nothing of the wire.

import type { Block } from './capture.ts'
import type { PlayoutEvent } from './playout.ts'
import type { CallSound } from './rtc.ts'
import type { MicProblem } from './state.ts'
import type { CaptureCommand, PlayoutCommand } from './worklet.ts'

export interface VoiceEvents {
  readonly onBlock: (block: Block) => void
  readonly onPlayout: (event: PlayoutEvent) => void
  readonly onMicLost: () => void
}

export class MicError extends Error {
  readonly problem: MicProblem
  constructor(problem: MicProblem, cause?: unknown) {
    super(problem, { cause })
    this.name = 'MicError'
    this.problem = problem
  }
}

/** Not under the page's own name, and never blob: or data:, which strict policies refuse. */
const workletUrl = '/widget/worklet.js'
/** A context that has not started by then waits for a gesture that did not happen. */
const resumeMs = 1_500
/** Devices that claim more are not believed. */
const maxLatencyMs = 500

export class Voice {
  readonly #events: VoiceEvents
  readonly #context: AudioContext
  readonly #meter: AnalyserNode
  readonly #samples: Float32Array<ArrayBuffer>
  #capture: AudioWorkletNode | undefined
  #playout: AudioWorkletNode | undefined
  #source: MediaStreamAudioSourceNode | undefined
  #mic: MediaStream | undefined
  #micLevel = 0
  #muted = false
  #closed = false
  /** Where the microphone goes beside the capture: a call's own track. */
  #onTrack: (track: MediaStreamTrack) => void = () => undefined
  #heard: HTMLAudioElement | undefined

  /** Must be called inside the click: browsers let a context start only there. */
  constructor(events: VoiceEvents) {
    this.#events = events
    keepSpeaker()
    this.#context = new AudioContext({ latencyHint: 'interactive' })
    this.#context.resume().catch(() => undefined)
    this.#context.onstatechange = () => this.wake()
    this.#meter = new AnalyserNode(this.#context, { fftSize: 1024 })
    this.#samples = new Float32Array(this.#meter.fftSize)
  }

  /** Throws MicError. */
  async start(): Promise<void> {
    const loaded = this.#context.audioWorklet.addModule(workletUrl)
    // Awaited below; a refused microphone is the better reason to fail.
    loaded.catch(() => undefined)
    const mic = await openMic()
    this.#mic = mic
    if (this.#closed) return this.#stopMic()
    await loaded
    await Promise.race([this.#context.resume(), new Promise((resolve) => setTimeout(resolve, resumeMs))])
    if (this.#context.state !== 'running' && !this.#closed) throw new MicError('gesture')
    this.#playout = new AudioWorkletNode(this.#context, 'parley-playout', {
      numberOfInputs: 0,
      outputChannelCount: [1],
    })
    this.#playout.port.onmessage = ({ data }: MessageEvent<PlayoutEvent>) => this.#events.onPlayout(data)
    this.#playout.connect(this.#meter).connect(this.#context.destination)
    this.#capture = new AudioWorkletNode(this.#context, 'parley-capture', {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: 'explicit',
    })
    this.#capture.port.onmessage = ({ data }: MessageEvent<Block>) => {
      this.#micLevel = data.level
      this.#events.onBlock(data)
    }
    this.#listen(mic)
  }

  #listen(mic: MediaStream): void {
    if (this.#capture === undefined) return
    this.#source?.disconnect()
    this.#source = this.#context.createMediaStreamSource(mic)
    this.#source.connect(this.#capture)
    const [track] = mic.getAudioTracks()
    if (track === undefined) return
    track.onended = () => void this.#reopen()
    track.enabled = !this.#muted
    this.#onTrack(track)
  }

  /** For a call with tracks. Undefined: there is no microphone. */
  get sound(): CallSound | undefined {
    const track = this.#mic?.getAudioTracks()[0]
    if (track === undefined) return undefined
    return {
      track,
      onTrack: (replace) => {
        this.#onTrack = replace
      },
      hear: (stream) => this.#hear(stream),
    }
  }

  /** Through the same meter and loudspeaker as everything else. */
  #hear(stream: MediaStream): void {
    if (this.#closed) return
    // Chromium brings no sound of a peer into an audio graph unless an element plays it as well.
    this.#heard = Object.assign(new Audio(), { srcObject: stream, muted: true })
    this.#heard.play().catch(() => undefined)
    this.#context.createMediaStreamSource(stream).connect(this.#meter)
  }

  /** An unplugged headset ends its track: the next device takes over. */
  async #reopen(): Promise<void> {
    try {
      this.#mic = await openMic()
      if (this.#closed) this.#stopMic()
      else this.#listen(this.#mic)
    } catch {
      if (!this.#closed) this.#events.onMicLost()
    }
  }

  push(itemId: string, pcm: Uint8Array): void {
    const copy = pcm.slice().buffer
    this.command({ do: 'push', itemId, pcm: copy }, [copy])
  }

  command(command: PlayoutCommand, transfer: Transferable[] = []): void {
    this.#playout?.port.postMessage(command, transfer)
  }

  mute(on: boolean): void {
    const command: CaptureCommand = { muted: on }
    this.#capture?.port.postMessage(command)
    this.#muted = on
    for (const track of this.#mic?.getTracks() ?? []) track.enabled = !on
    if (on) this.#micLevel = 0
  }

  /** Root mean square of the last block of the microphone, 0 to 1. */
  get micLevel(): number {
    return this.#micLevel
  }

  /** Root mean square of what goes to the loudspeaker now, 0 to 1. */
  get outputLevel(): number {
    this.#meter.getFloatTimeDomainData(this.#samples)
    return Math.hypot(...this.#samples) / this.#samples.length ** 0.5
  }

  /** From the worklet to the loudspeaker. */
  get latencyMs(): number {
    const { baseLatency, outputLatency } = this.#context
    return Math.min(maxLatencyMs, ((baseLatency || 0) + (outputLatency || 0)) * 1000)
  }

  /** A phone call or a locked screen interrupts a context without ending it. */
  wake(): void {
    if (!this.#closed && this.#context.state !== 'running') this.#context.resume().catch(() => undefined)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopMic()
    if (this.#heard !== undefined) this.#heard.srcObject = null
    this.#context.close().catch(() => undefined)
  }

  #stopMic(): void {
    for (const track of this.#mic?.getTracks() ?? []) {
      track.onended = null
      track.stop()
    }
  }
}

/** Safari on iOS routes a call to the loudspeaker and past the ringer switch only when told so before the microphone opens. */
function keepSpeaker(): void {
  if ('audioSession' in navigator) Object.assign(navigator.audioSession ?? {}, { type: 'play-and-record' })
}

async function openMic(): Promise<MediaStream> {
  // Absent on pages that are not https.
  if (!('mediaDevices' in navigator)) throw new MicError('policy')
  try {
    return await navigator.mediaDevices.getUserMedia({
      // `ideal`: our own playback is Web Audio, so a device that offers only "remote-only" must not be forced.
      audio: {
        echoCancellation: { ideal: true },
        noiseSuppression: true,
        autoGainControl: true,
        channelCount: { ideal: 1 },
      },
    })
  } catch (error) {
    throw new MicError(micProblemOf(error), error)
  }
}

function micProblemOf(error: unknown): MicProblem {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing'
  if (name === 'SecurityError') return 'policy'
  if (name === 'NotAllowedError') return allowsMicrophone() ? 'blocked' : 'policy'
  return 'failed'
}

/** Chromium tells a page's ban (Permissions-Policy, missing `allow`) from a person's; other browsers do not. */
function allowsMicrophone(): boolean {
  const policy: unknown =
    'permissionsPolicy' in document ? document.permissionsPolicy : Reflect.get(document, 'featurePolicy')
  if (typeof policy !== 'object' || policy === null || !('allowsFeature' in policy)) return true
  const { allowsFeature } = policy
  return typeof allowsFeature !== 'function' || allowsFeature.call(policy, 'microphone') !== false
}
