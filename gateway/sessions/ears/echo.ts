// Our own voice in the person's microphone: input whose spectrum follows what the loudspeaker plays, at some delay and through
// some room. Learns delay and loudness by correlation, then tells for each 20 ms whether the room explains it or somebody
// speaks. Pure; no clock: one call is one frame.

import { bandCount, type Look, silentDb } from './spectrum.ts'

/** 1.2 s: a Bluetooth loudspeaker, a slow network and a player that nobody hears from. */
const lags = 60
/** The reference is given this many frames early: players are sometimes ahead of what is thought. */
export const leadFrames = 5
/** Correlation is taken over about a second, and looked back on when a delay is found. */
const memoryFrames = 50
const ringFrames = 128
/** Between two looks at how loud the echo is, and what it takes. */
const measureFrames = 5
const fewestGains = 6
/** Before so many frames nothing is concluded. */
const fewestFrames = 15
/** Two voices that have nothing to do with each other stay below 0.5, an echo in noise is above 0.6. */
const alike = 0.6
const unlike = 0.25
/** Rooms fall 60 dB in half a second: 2.5 dB a frame. */
const decayDb = 2.5
/** Above what the room explains by more than this in the mean of all bands: somebody speaks. */
const excessDb = 2.5
const toleranceDb = 5
const quietDb = -62
/** A band of the loudspeaker this far above quiet must be heard if there is an echo. */
const loudDb = -50
/** The loudspeaker was loud for so long and nothing was heard, or something that does not follow it: there is no echo. */
const silentFrames = lags + 30
const strangeFrames = 6
const perhaps = 0.42
/** Above the room: something is heard. */
const heardDb = 10
/** Less is no sound. */
const silenceDb = -70

/** `unsure`: the loudspeaker plays, and too little of it was heard to tell. */
export type Origin = 'silence' | 'echo' | 'unsure' | 'person'

/** Frames of bands, the newest overwriting the oldest. */
class Ring {
  readonly #bands = new Float32Array(ringFrames * bandCount).fill(silentDb)
  #at = 0

  push(bands: ArrayLike<number> | undefined, lowestDb: number): void {
    this.#at = (this.#at + 1) % ringFrames
    const to = this.#at * bandCount
    for (let band = 0; band < bandCount; band++) {
      this.#bands[to + band] = Math.max(lowestDb, bands?.[band] ?? silentDb)
    }
  }

  /** Where the frame of so many frames ago stands. */
  place(ago: number): number {
    return ((this.#at - ago + ringFrames) % ringFrames) * bandCount
  }

  get bands(): Float32Array {
    return this.#bands
  }

  loudest(ago: number): number {
    const from = this.place(ago)
    return Math.max(...this.#bands.subarray(from, from + bandCount))
  }
}

/** Runs along and takes what is slow away: the colour of a voice and a microphone, not what is said. */
class Centre {
  readonly #means = new Float64Array(bandCount)
  #frames = 0
  readonly centred = new Float64Array(bandCount)
  energy = 0

  take(bands: Float32Array, from: number): void {
    this.#frames = Math.min(2 * memoryFrames, this.#frames + 1)
    this.energy = 0
    for (let band = 0; band < bandCount; band++) {
      const value = bands[from + band] ?? silentDb
      const mean = (this.#means[band] ?? 0) + (value - (this.#means[band] ?? 0)) / this.#frames
      this.#means[band] = mean
      const off = value - mean
      this.centred[band] = off
      this.energy += off * off
    }
  }
}

export class Echo {
  readonly #played = new Ring()
  readonly #heard = new Ring()
  readonly #playedCentre = new Centre()
  readonly #heardCentre = new Centre()
  /** The loudspeaker's frames less their mean, and their energy. */
  readonly #centred = new Float64Array(lags * bandCount)
  readonly #energies = new Float64Array(lags)
  readonly #together = new Float64Array(lags)
  readonly #alone = new Float64Array(lags)
  #own = 0
  readonly #floor = new Float64Array(bandCount).fill(-70)
  readonly #gain = new Float64Array(bandCount).fill(-10)
  readonly #expected = new Float64Array(bandCount).fill(silentDb)
  #at = 0
  #frames = 0
  #unheard = 0
  #strange = 0
  #silent = lags
  #lag: number | undefined
  #weak = 0
  #likeness = 0

  /** Frames between loudspeaker and microphone; undefined: no echo is known. */
  get lag(): number | undefined {
    return this.#lag === undefined ? undefined : this.#lag - leadFrames
  }

  /** How much the input follows the loudspeaker at its best delay, 0 to 1. */
  get likeness(): number {
    return this.#likeness
  }

  /** `reference`: what will sound `leadFrames` from now; undefined: nothing. */
  frame(look: Look, reference: ArrayLike<number> | undefined): Origin {
    this.#silent = reference === undefined ? this.#silent + 1 : 0
    if (this.#silent > lags) {
      this.#follow(look)
      return look.levelDb <= silenceDb ? 'silence' : 'person'
    }
    this.#correlate(look, reference)
    this.#lock()
    this.#follow(look)
    if (this.#lag === undefined) return this.#listen(look)
    const excess = this.#explain(look, this.#lag)
    if (look.levelDb <= silenceDb) return 'silence'
    return excess <= excessDb && this.#isExpected() ? 'echo' : 'person'
  }

  #correlate({ bands }: Look, reference: ArrayLike<number> | undefined): void {
    this.#played.push(reference, quietDb - 10)
    this.#heard.push(bands, silentDb)
    this.#playedCentre.take(this.#played.bands, this.#played.place(0))
    const heard = this.#heard.bands
    const place = this.#heard.place(0)
    // What lies under the room's own noise tells nothing.
    for (let band = 0; band < bandCount; band++) {
      heard[place + band] = Math.max(this.#floor[band] ?? 0, heard[place + band] ?? 0)
    }
    this.#heardCentre.take(heard, place)
    this.#at = (this.#at + 1) % lags
    this.#centred.set(this.#playedCentre.centred, this.#at * bandCount)
    this.#energies[this.#at] = this.#playedCentre.energy
    this.#frames = Math.min(memoryFrames, this.#frames + 1)
    const keep = 1 - 1 / memoryFrames
    this.#own = keep * this.#own + this.#heardCentre.energy
    const x = this.#heardCentre.centred
    for (let lag = 0; lag < lags; lag++) {
      const from = ((this.#at - lag + lags) % lags) * bandCount
      let sum = 0
      for (let band = 0; band < bandCount; band++) sum += (x[band] ?? 0) * (this.#centred[from + band] ?? 0)
      this.#together[lag] = keep * (this.#together[lag] ?? 0) + sum
      this.#alone[lag] = keep * (this.#alone[lag] ?? 0) + (this.#energies[from / bandCount] ?? 0)
    }
  }

  #correlation(lag: number): number {
    const alone = this.#alone[lag] ?? 0
    return alone < 1 || this.#own < 1 ? 0 : (this.#together[lag] ?? 0) / Math.sqrt(alone * this.#own)
  }

  #lock(): void {
    this.#likeness = 0
    if (this.#frames < fewestFrames) return
    let best = 0
    for (let lag = 0; lag < lags; lag++) {
      const likeness = this.#correlation(lag)
      if (likeness <= this.#likeness) continue
      this.#likeness = likeness
      best = lag
    }
    const known = this.#lag === undefined ? 0 : this.#correlation(this.#lag)
    if (this.#likeness >= alike && this.#likeness > known + 0.1 && Math.abs(best - (this.#lag ?? -9)) > 1) {
      this.#lag = best
      this.#measure(best)
    } else if (this.#lag !== undefined && known >= alike && this.#at % measureFrames === 0) this.#measure(this.#lag)
    if (this.#lag === undefined || known >= unlike) this.#weak = 0
    // Somebody speaks over it, or a headset was plugged in.
    else if (++this.#weak > 2 * memoryFrames) this.#lag = undefined
  }

  /** How loud the echo was in the last second, by band. Whoever spoke for less than a third of it does not change that. */
  #measure(lag: number): void {
    for (let band = 0; band < bandCount; band++) {
      const gains: number[] = []
      for (let ago = 0; ago < Math.min(memoryFrames, this.#frames); ago++) {
        const y = this.#loudest(lag + ago, band)
        if (y > loudDb) gains.push((this.#heard.bands[this.#heard.place(ago) + band] ?? silentDb) - y)
      }
      if (gains.length < fewestGains) continue
      gains.sort((a, b) => a - b)
      this.#gain[band] = gains[Math.floor(gains.length * 0.6)] ?? 0
    }
  }

  /** Frames of both sides do not begin at the same moment. */
  #loudest(lag: number, band: number): number {
    const { bands } = this.#played
    const [a, b, c] = [this.#played.place(lag - 1), this.#played.place(lag), this.#played.place(lag + 1)]
    return Math.max(bands[a + band] ?? silentDb, bands[b + band] ?? silentDb, bands[c + band] ?? silentDb)
  }

  /** The room itself: the quietest of late. */
  #follow({ bands }: Look): void {
    for (let band = 0; band < bandCount; band++) {
      const x = bands[band] ?? silentDb
      const floor = this.#floor[band] ?? 0
      this.#floor[band] = Math.max(-80, x < floor ? x + 0.7 * (floor - x) : floor + Math.min(0.1, x - floor))
    }
  }

  /** No echo is known: it may be one that is about to be. */
  #listen({ bands, levelDb }: Look): Origin {
    let heard = 0
    for (let band = 0; band < bandCount; band++) {
      if ((bands[band] ?? silentDb) > (this.#floor[band] ?? 0) + heardDb) heard++
    }
    if (heard > 2) this.#strange = Math.max(0, this.#strange + (this.#likeness < perhaps ? 1 : -1))
    else if (this.#played.loudest(leadFrames) > loudDb) this.#unheard++
    if (levelDb <= silenceDb) return 'silence'
    const isClear = this.#unheard >= silentFrames || this.#strange >= strangeFrames
    return isClear ? 'person' : 'unsure'
  }

  /** Mean of what is above the echo to be expected, dB. Learns the loudness of the echo where it is alone. */
  #explain({ bands }: Look, lag: number): number {
    let excess = 0
    for (let band = 0; band < bandCount; band++) {
      const y = this.#loudest(Math.max(1, lag), band)
      const x = bands[band] ?? silentDb
      const gain = this.#gain[band] ?? 0
      const now = y <= quietDb ? silentDb : y + gain
      const expected = Math.max(now, (this.#expected[band] ?? silentDb) - decayDb)
      this.#expected[band] = expected
      const above = x - Math.max(expected, this.#floor[band] ?? silentDb) - toleranceDb
      excess += Math.min(20, Math.max(0, above))
      if (y > loudDb && above < 0) this.#gain[band] = gain + 0.05 * Math.max(-6, Math.min(6, x - now))
    }
    return excess / bandCount
  }

  #isExpected(): boolean {
    for (let band = 0; band < bandCount; band++) {
      if ((this.#expected[band] ?? silentDb) > (this.#floor[band] ?? 0) + 3) return true
    }
    return false
  }
}
