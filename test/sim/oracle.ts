// What must be true of credit, whatever happened: checked at every write of the truth store, and once all is quiet.
// Keeps books of its own, from the writes alone.

import { type Doc, isPlain, num } from '../../gateway/embedded/value.ts'
import type { PriceSnapshot } from '../../gateway/usage/bill.ts'
import { checkRest, type Rest } from './at-rest.ts'
import { type Books, checkBalance, part } from './books.ts'
import type { Gateway } from './gateway.ts'
import { LeftBehind } from './left-behind.ts'
import type { Applied, SimStore } from './sim-store.ts'
import { type SessionTruth, tokenMeter } from './truth.ts'

export interface OracleOptions {
  readonly nowMs: () => number
  readonly step: () => number
  /** Wall time of the store. */
  readonly wallMs: () => number
  readonly truth: (sessionId: string) => SessionTruth | undefined
  readonly isAlive: (name: string) => boolean
  /** A session was stored with this price. */
  readonly priced: (tenantId: string, sessionId: string, price: PriceSnapshot) => void
  readonly breach: (message: string) => void
  readonly note: (line: string) => void
}

interface Booked {
  readonly doc: Doc
  readonly tenantId: string
  readonly key: string
  readonly by: string
}

interface HoldNote {
  lastCheckpointStep: number
}

/** Holds are good after the end of what they have; what has ended leaves by itself. */
const spendsNothingFree = ['settle', 'expire']

export class Oracle {
  readonly #options: OracleOptions
  readonly #entries = new Map<string, Booked>()
  readonly #books = new Map<string, Books>()
  readonly #holds = new Map<string, HoldNote>()
  /** Ids of turns whose first version came when its writer owned the session no more. */
  readonly #lateTurns = new Set<string>()
  /** By session and epoch, whose it was. */
  readonly #owners = new Map<string, string>()
  readonly #left = new LeftBehind()
  /** Per process, when it last looked for stale holds. */
  readonly #scans = new Map<string, number>()
  readonly stats = { entries: 0, settled: 0, byJanitor: 0, expired: 0, waived: 0, fenced: 0, replayed: 0 }

  constructor(options: OracleOptions) {
    this.#options = options
  }

  died(gateway: Gateway, store: SimStore): void {
    this.#left.died(gateway, { store, nowMs: this.#options.nowMs() })
  }

  has(tenantId: string, key: string): boolean {
    return this.#entries.has(`${tenantId}/${key}`)
  }

  entry(tenantId: string, key: string): Doc | undefined {
    return this.#entries.get(`${tenantId}/${key}`)?.doc
  }

  scanned(by: string): void {
    this.#scans.set(by, this.#options.step())
  }

  onWrite(write: Applied, store: SimStore): void {
    if (write.collection === 'credit_accounts') this.#account(write, store)
    else if (write.collection === 'credit_entries') this.#moved(write)
    else if (write.collection === 'credit_receipts') this.#receipt(write)
    else if (write.collection === 'sessions') this.#session(write)
    else if (write.collection === 'turns') this.#turn(write, store)
  }

  #breach(rule: string, message: string): void {
    this.#options.breach(`${rule}: ${message}`)
  }

  #account({ before, after, by }: Applied, store: SimStore): void {
    const tenantId = String(after._id)
    if (before === undefined) return
    const books = this.#booksOf(tenantId)
    const fresh = Object.entries(part(after, 'outbox'))
      .filter(([key]) => part(before, 'outbox')[key] === undefined)
      .sort(([, a], [, b]) => at(a, 'seq') - at(b, 'seq'))
    for (const [key, doc] of fresh) if (isPlain(doc)) this.#book({ tenantId, key, doc, by }, { books, before, after })
    for (const key of Object.keys(part(before, 'outbox')))
      if (part(after, 'outbox')[key] === undefined && !store.collection('credit_entries').has(`${tenantId}/${key}`))
        this.#breach('I1', `entry ${key} left the outbox and is nowhere`)
    checkBalance(after, books, {
      isHeld: (holdId) => this.#holds.has(holdId),
      breach: (rule, message) => this.#breach(rule, message),
    })
    this.#checkpoints({ before, after, by })
    if (after.breached === true && before.breached !== true) this.#breach('L15', 'reconcile found a breach')
  }

  #book(booked: Booked, { books, before, after }: { books: Books; before: Doc; after: Doc }): void {
    const { tenantId, key, doc, by } = booked
    const id = `${tenantId}/${key}`
    if (this.#entries.has(id)) {
      this.#breach('I4', `${key} was done twice`)
      return
    }
    this.#entries.set(id, booked)
    this.stats.entries++
    const seq = num(doc.seq)
    if (seq <= books.seq || seq <= num(before.v) || seq > num(after.v))
      this.#breach(
        'L15',
        `entry ${key} is number ${seq} after ${books.seq}, between versions ${num(before.v)} and ${num(after.v)}`,
      )
    books.seq = seq
    books.posted += num(doc.amountMicro)
    books.held += num(doc.heldMicro)
    books.debt += num(doc.debtMicro ?? 0)
    if (num(doc.balanceMicro) !== books.posted) this.#breach('I1', `the balance of ${key} is not the sum up to it`)
    let moved = 0
    for (const move of Array.isArray(doc.moves) ? doc.moves : []) {
      if (!isPlain(move)) continue
      moved += num(move.amountMicro)
      books.grants.set(String(move.grantId), (books.grants.get(String(move.grantId)) ?? 0) + num(move.amountMicro))
      this.#expired(booked, { move, before })
    }
    if (moved !== num(doc.amountMicro)) this.#breach('I1', `the moves of ${key} do not sum to it`)
    this.#options.note(`entry ${String(doc.kind)} ${num(doc.amountMicro)} ${num(doc.heldMicro)}`)
    if (doc.kind === 'expire') this.stats.expired++
    if (doc.kind === 'settle') this.#settled(booked, before)
    if (doc.kind === 'extend') this.#owned(String(doc.holdId), before, by, 'extended')
    if (doc.kind === 'hold' || doc.kind === 'extend') this.#granted(booked, before, after)
  }

  #expired({ key, doc }: Booked, { move, before }: { move: Doc; before: Doc }): void {
    if (num(move.amountMicro) >= 0 || spendsNothingFree.includes(String(doc.kind))) return
    const grant = Object.values(part(before, 'grants')).find((each) => isPlain(each) && each.id === move.grantId)
    if (!isPlain(grant) || !(grant.expiresAt instanceof Date)) return
    if (this.#hasEnded(grant.expiresAt)) this.#breach('L19', `${key} spent credit that had expired`)
  }

  /** At the write, however long ago it was decided. */
  #hasEnded(expiresAt: Date): boolean {
    return expiresAt.getTime() <= this.#options.wallMs()
  }

  /** A new hold, or more for one. */
  #granted({ doc }: Booked, before: Doc, after: Doc): void {
    const holdId = String(doc.holdId)
    const hold = part(after, 'holds')[holdId]
    if (!isPlain(hold)) {
      this.#breach('I4', `an entry of kind ${String(doc.kind)} without a hold`)
      return
    }
    if (doc.kind === 'hold') this.#holds.set(holdId, { lastCheckpointStep: this.#options.step() })
    const had = part(part(before, 'holds')[holdId], 'allocations')
    for (const [name, micro] of Object.entries(part(hold, 'allocations'))) {
      const grant = part(after, 'grants')[name]
      if (!isPlain(grant) || !(grant.expiresAt instanceof Date) || num(micro) <= num(had[name] ?? 0)) continue
      if (this.#hasEnded(grant.expiresAt)) this.#breach('L19', 'a hold got credit that had expired')
    }
  }

  #owned(holdId: string, before: Doc, by: string, did: string): void {
    const hold = part(before, 'holds')[holdId]
    if (!isPlain(hold)) this.#breach('I6', `a hold that is not there was ${did}`)
    else if (hold.owner !== by) this.#breach('I6', `${by} ${did} a hold of ${String(hold.owner)}`)
  }

  #settled({ doc, by }: Booked, before: Doc): void {
    const holdId = String(doc.holdId)
    const hold = part(before, 'holds')[holdId]
    if (!isPlain(hold)) {
      this.#breach('I4', 'a hold was settled that is not there')
      return
    }
    this.stats.settled++
    const chargeMicro = 0 - num(doc.amountMicro)
    if (chargeMicro > num(hold.amountMicro)) this.#breach('I2', `charged ${chargeMicro} of ${num(hold.amountMicro)}`)
    if (doc.note === 'closed by the janitor') this.#closedByJanitor(holdId, by)
    else this.#owned(holdId, before, by, 'settled')
    if (num(part(doc, 'receipt').waivedMicro) > 0) this.stats.waived++
    const truth = this.#options.truth(String(doc.sessionId))
    if (truth !== undefined) this.#billed(truth, doc, chargeMicro)
  }

  #closedByJanitor(holdId: string, by: string): void {
    this.stats.byJanitor++
    const scanned = this.#scans.get(by) ?? Number.NEGATIVE_INFINITY
    const checkpointed = this.#holds.get(holdId)?.lastCheckpointStep ?? 0
    if (checkpointed > scanned) this.#breach('I7', 'the janitor closed a hold that was checkpointed after its scan')
  }

  #billed(truth: SessionTruth, doc: Doc, chargeMicro: number): void {
    const receipt = part(doc, 'receipt')
    const most = truth.most()
    const figures: Readonly<Record<string, number>> = {
      'session.seconds': most.seconds,
      [tokenMeter]: most.tokens,
      'tool.lookup.calls': most.toolCalls,
      'session.messages': most.messages,
    }
    let sum = 0
    const billed: Record<string, number> = {}
    for (const line of Array.isArray(receipt.lines) ? receipt.lines : []) {
      if (!isPlain(line)) continue
      const meter = String(line.meter)
      sum += num(line.amountMicro)
      billed[meter] = num(line.quantity)
      const limit = figures[meter] ?? -1
      if (num(line.quantity) > limit)
        this.#breach('I3', `billed ${num(line.quantity)} of ${meter}, served were ${limit}`)
      const { price } = truth
      const agreed = meter === 'session.seconds' ? (price?.secondMicro ?? 0) * 1e6 : price?.meterMicroPerMillion[meter]
      if (num(line.priceMicroPerMillion) !== agreed)
        this.#breach('U2', `${meter} was billed at another price than the session began with`)
    }
    if (sum !== chargeMicro) this.#breach('receipts', `the lines sum to ${sum}, charged were ${chargeMicro}`)
    if (num(receipt.waivedMicro) + chargeMicro > most.totalMicro)
      this.#breach('I3', `used ${chargeMicro + num(receipt.waivedMicro)}, served were ${most.totalMicro}`)
    truth.billedSeconds = billed['session.seconds'] ?? 0
    truth.servedSeconds = truth.leastSeconds
  }

  /** A session is first written on a hold that is there, and once ended it stays so. */
  #session({ before, after }: Applied): void {
    const tenantId = String(after.tenantId)
    this.#owners.set(`${String(after._id)} ${num(after.epoch)}`, String(after.owner))
    if (before === undefined) {
      if (!this.has(tenantId, `hold:${String(after.holdId)}`)) this.#breach('L1', 'a session on a hold that nobody has')
      this.#options.priced(tenantId, String(after._id), readPrice(after.price))
    } else if (before.state === 'ended' && (after.state !== 'ended' || before.endReason !== after.endReason))
      this.#breach('S7', 'a session ended twice')
    if (before !== undefined && num(after.epoch) > num(before.epoch) && before.released !== true)
      this.#options.truth(String(after._id))?.forced()
    const went = before === undefined ? undefined : wentBack(part(before, 'used'), part(after, 'used'))
    if (went !== undefined) this.#breach('S14', `${went} of a session went back`)
  }

  #checkpoints({ before, after, by }: { before: Doc; after: Doc; by: string }): void {
    const was = part(before, 'holds')
    for (const [holdId, hold] of Object.entries(part(after, 'holds'))) {
      const old = was[holdId]
      if (!isPlain(hold) || !isPlain(old) || hold === old) continue
      if (num(hold.checkpoints) > num(old.checkpoints)) {
        const note = this.#holds.get(holdId)
        if (note !== undefined) note.lastCheckpointStep = this.#options.step()
        if (old.owner !== by) this.#breach('I6', `${by} checkpointed a hold of ${String(old.owner)}`)
      }
      if (num(hold.epoch) !== num(old.epoch)) {
        this.stats.fenced++
        this.#options.truth(String(hold.sessionId))?.cut(by)
      }
      for (const [meter, line] of Object.entries(part(hold, 'lines'))) {
        const earlier = part(old, 'lines')[meter]
        if (isPlain(line) && isPlain(earlier) && num(line.quantity) < num(earlier.quantity))
          this.#breach('L7', `the high-water of ${meter} went back`)
      }
    }
    for (const holdId of Object.keys(was))
      if (part(after, 'holds')[holdId] === undefined && !this.has(String(after._id), `settle:${holdId}`))
        this.#breach('I4', 'a hold is gone without a settlement')
  }

  #moved({ before, after }: Applied): void {
    const booked = this.#entries.get(String(after._id))
    if (before !== undefined) {
      this.#breach('L14', 'an entry was changed')
      return
    }
    if (booked === undefined) {
      this.#breach('I4', `entry ${String(after.key)} was never in an outbox`)
      return
    }
    for (const field of ['seq', 'amountMicro', 'heldMicro', 'balanceMicro', 'askedMicro'])
      if (num(after[field]) !== num(booked.doc[field]))
        this.#breach('L14', `${field} changed on the way to the entries`)
  }

  #receipt({ before, after }: Applied): void {
    const booked = this.#entries.get(`${String(after.tenantId)}/${String(after.entryId)}`)
    if (before !== undefined) {
      this.#breach('L14', 'a receipt was changed')
      return
    }
    if (booked === undefined) {
      this.#breach('receipts', 'a receipt without an entry')
      return
    }
    if (num(after.totalMicro) !== 0 - num(booked.doc.amountMicro))
      this.#breach('receipts', 'a receipt differs from its entry')
  }

  #turn({ before, after, by }: Applied, store: SimStore): void {
    const owner = this.#owners.get(`${String(after.sessionId)} ${num(after.epoch)}`)
    const isVersion = before === undefined || !isSameVersion(before, after)
    // Somebody else writes what is on the disk of a process that died.
    const isLate = isVersion && owner !== by
    if (isLate && (owner === undefined || this.#options.isAlive(owner)))
      this.#breach('T9', `${by} wrote ${String(after.itemId)} for ${owner}, which lives`)
    if (isLate) this.stats.replayed++
    if (before !== undefined && isVersion) this.#version(before, after, isLate)
    // No fence stands where nothing was: what the network held up of an owner before may come after it was mended.
    const session = store.collection('sessions').get(String(after.sessionId))
    if (before === undefined && (num(after.epoch) < num(session?.epoch) || session?.state === 'ended'))
      this.#lateTurns.add(String(after._id))
  }

  /** Versions of a turn are replaced by later ones only, and by none of an owner before a fence. */
  #version(before: Doc, after: Doc, isLate: boolean): void {
    const [epoch, was] = [num(after.epoch), num(before.epoch)]
    if (epoch < was || (epoch === was && num(after.rev) < num(before.rev)))
      this.#breach('S20', `an older version of ${String(after.itemId)} was stored`)
    else if (!isLate && num(before.fence ?? 0) > epoch)
      this.#breach('S20', `an owner before the fence changed ${String(after.itemId)}`)
  }

  /** Once all is quiet. */
  finish(rest: Rest): void {
    const breach = (rule: string, message: string): void => this.#breach(rule, message)
    checkRest(rest, { entries: this.#entries, lateTurns: this.#lateTurns, breach })
    this.#left.check(rest.store, breach)
  }

  #booksOf(tenantId: string): Books {
    const known = this.#books.get(tenantId)
    if (known !== undefined) return known
    const made: Books = { posted: 0, debt: 0, held: 0, seq: 0, grants: new Map() }
    this.#books.set(tenantId, made)
    return made
  }
}

function isSameVersion(before: Doc, after: Doc): boolean {
  return num(before.epoch) === num(after.epoch) && num(before.rev) === num(after.rev)
}

function at(doc: unknown, name: string): number {
  return isPlain(doc) ? num(doc[name]) : 0
}

/** Name of a cumulative figure that is less than it was. */
function wentBack(before: Doc, after: Doc): string | undefined {
  for (const [name, value] of Object.entries(before)) {
    const inner = isPlain(value) ? wentBack(value, part(after, name)) : undefined
    if (inner !== undefined) return inner
    if (!isPlain(value) && num(after[name] ?? 0) < num(value)) return name
  }
  return undefined
}

function readPrice(value: unknown): PriceSnapshot {
  const doc = isPlain(value) ? value : {}
  const meters = Object.entries(part(doc, 'meterMicroPerMillion')).map(([name, micro]) => [name, num(micro)] as const)
  return {
    ...{ id: String(doc.id), engine: String(doc.engine), costUsdMicroPerMillion: null },
    ...{ secondMicro: num(doc.secondMicro), holdSecondMicro: num(doc.holdSecondMicro) },
    meterMicroPerMillion: Object.fromEntries(meters),
  }
}
