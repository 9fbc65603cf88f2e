// The rules of tiers, expiry and debt on one account in memory.

import { expect, test } from 'vitest'
import type { CreditTier } from '../protocol/rest.ts'
import { dayMs, line, startMs } from './commands.test-support.ts'
import { MemoryLedger } from './memory.test-support.ts'
import { maxGrants } from './perform.ts'

const today = new Date(startMs).toISOString().slice(0, 10)
const later = (days: number) => new Date(startMs + days * dayMs)
const memory = () => new MemoryLedger(startMs)
const free = async ({ played }: MemoryLedger, tier: CreditTier) =>
  (await played.getCreditBalance()).tiers[tier].availableMicro
const freeOfAll = async (ledger: MemoryLedger) => [
  await free(ledger, 'daily'),
  await free(ledger, 'monthly'),
  await free(ledger, 'purchased'),
]
const daily = (ledger: MemoryLedger, amountMicro: number) =>
  ledger.played.grantDailyCredits({ amountMicro, timeZone: 'UTC', note: 'login' })
const monthly = (ledger: MemoryLedger, amountMicro: number, periodEnd = later(20)) =>
  ledger.played.grantMonthlyCredits({ periodId: 'sub_1-2026-03', periodEnd, amountMicro, note: '' })
const bought = (ledger: MemoryLedger, paymentId: string, amountMicro: number, expiresAt?: Date) =>
  ledger.played.addPurchasedCredits({ paymentId, amountMicro, note: '', ...(expiresAt && { expiresAt }) })
const deduct = (ledger: MemoryLedger, key: string, amountMicro: number) =>
  ledger.played.deductCredits({ key, amountMicro, note: '' })
const hold = (ledger: MemoryLedger, holdId: string, amountMicro: number) =>
  ledger.played.hold({ holdId, sessionId: 'sess_1', amountMicro, owner: 'node_1' })
const settle = (ledger: MemoryLedger, holdId: string, amountMicro: number) =>
  ledger.played.settle({ holdId, lines: line(amountMicro), costUsdMicro: 0, note: '', by: { epoch: 1 } })
const refund = (ledger: MemoryLedger, refundId: string, amountMicro: number, grantId = 'purchase:pi_1') =>
  ledger.played.refund({ grantId, refundId, amountMicro, note: '' })
const keys = (ledger: MemoryLedger) => [...ledger.entries.keys()]

test('[L18] S000-43: 5 off 2 daily, 2 monthly and 10 purchased leaves 0, 0 and 9, whatever came first', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  await monthly(ledger, 2)
  await daily(ledger, 2)
  expect(await deduct(ledger, 'turn_1', 5)).toMatchObject({
    is: 'deducted',
    entry: { kind: 'deduct', amountMicro: -5, balanceMicro: 9, tiers: { daily: -2, monthly: -2, purchased: -1 } },
  })
  expect(await freeOfAll(ledger)).toEqual([0, 0, 9])
})

test('[L18] within a tier the credit that ends first burns first, then the oldest', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  await bought(ledger, 'pi_2', 10, later(9))
  await bought(ledger, 'pi_3', 10, later(3))
  await bought(ledger, 'pi_4', 10)
  await deduct(ledger, 'turn_1', 25)
  const moves = ledger.entries.get('turn_1')?.moves.map(({ grantId, amountMicro }) => [grantId, amountMicro])
  expect(moves).toEqual([
    ['purchase:pi_3', -10],
    ['purchase:pi_2', -10],
    ['purchase:pi_1', -5],
  ])
})

test('[L18] at zero there is a wall: a deduction is whole or not at all, and says what is missing', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  expect(await deduct(ledger, 'turn_1', 11)).toEqual({ is: 'out_of_credit', shortfallMicro: 1 })
  expect(await ledger.played.check(12)).toEqual({ is: 'out_of_credit', availableMicro: 10, shortfallMicro: 2 })
  expect(await ledger.played.check(10)).toEqual({ is: 'enough', availableMicro: 10 })
  expect(keys(ledger)).toEqual(['purchase:pi_1'])
  // The key is still free: the reply can be paid for once there is credit.
  await bought(ledger, 'pi_2', 1)
  expect(await deduct(ledger, 'turn_1', 11)).toMatchObject({ is: 'deducted' })
  expect(await freeOfAll(ledger)).toEqual([0, 0, 0])
})

test('[L3] the same key for another amount, kind, end or session is a conflict; the same arguments change nothing', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10, later(3))
  await monthly(ledger, 5)
  await deduct(ledger, 'turn_1', 1)
  await ledger.played.debt({ key: 'fee', amountMicro: 1, note: '' })
  const before = keys(ledger)
  expect(await bought(ledger, 'pi_1', 10, later(3))).toMatchObject({ is: 'already', grantId: 'purchase:pi_1' })
  expect(await deduct(ledger, 'turn_1', 1)).toMatchObject({ is: 'deducted' })
  for (const wrong of [
    () => bought(ledger, 'pi_1', 10),
    () => bought(ledger, 'pi_1', 11, later(3)),
    () => monthly(ledger, 5, later(21)),
    () => monthly(ledger, 6),
    () => deduct(ledger, 'turn_1', 2),
    () => deduct(ledger, 'purchase:pi_1', 10),
    () => ledger.played.deductCredits({ key: 'turn_1', amountMicro: 1, note: '', lines: line(1), sessionId: 'sess_1' }),
    () => ledger.played.debt({ key: 'fee', amountMicro: 2, note: '' }),
    () => ledger.played.post({ key: 'purchase:pi_1', kind: 'grant', amountMicro: 10, note: '' }),
  ])
    await expect(wrong()).rejects.toMatchObject({ code: 'conflict' })
  expect(keys(ledger)).toEqual(before)
})

test('[L3] BILL-05: a payment told with another amount than the one it was credited with is refused', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  for (const amountMicro of [1, 9, 11, 10_000])
    await expect(bought(ledger, 'pi_1', amountMicro)).rejects.toMatchObject({ code: 'conflict' })
  for (const amountMicro of [0, -10, 1.5, Number.NaN, 2 ** 53])
    await expect(bought(ledger, 'pi_2', amountMicro)).rejects.toMatchObject({ code: 'invalid' })
  expect(await freeOfAll(ledger)).toEqual([0, 0, 10])
})

test('[L20] the second daily grant of a calendar day does nothing and says so; the next day has its own', async () => {
  const ledger = memory()
  expect(await daily(ledger, 3)).toMatchObject({ is: 'granted', grantId: `daily:${today}` })
  expect(await daily(ledger, 8)).toMatchObject({ is: 'already', entry: { amountMicro: 3 } })
  expect(await freeOfAll(ledger)).toEqual([3, 0, 0])
  ledger.setNow(startMs + dayMs)
  expect(await daily(ledger, 3)).toMatchObject({ is: 'granted' })
  expect(await freeOfAll(ledger)).toEqual([3, 0, 0])
})

test('[L20] the calendar day is the one of the tenant', async () => {
  const ledger = memory()
  // 15:00 UTC is 00:30 of the next day in Adelaide, until 13:30 UTC.
  const adelaide = { amountMicro: 3, timeZone: 'Australia/Adelaide', note: '' }
  const entry = { expiresAt: '2026-03-02T13:30:00.000Z' }
  expect(await ledger.played.grantDailyCredits(adelaide)).toMatchObject({ grantId: 'daily:2026-03-02', entry })
  await expect(ledger.played.grantDailyCredits({ ...adelaide, timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
    code: 'invalid',
  })
})

test('[L19] what has ended cannot be spent, and is written down by the next movement under a key of its own', async () => {
  const ledger = memory()
  await daily(ledger, 3)
  await monthly(ledger, 4, later(2))
  await bought(ledger, 'pi_1', 5)
  ledger.setNow(later(1).getTime())
  expect(await freeOfAll(ledger)).toEqual([0, 4, 5])
  expect(await ledger.played.check(10)).toMatchObject({ shortfallMicro: 1 })
  await deduct(ledger, 'turn_1', 1)
  expect(ledger.entries.get(`expire:daily:${today}`)).toMatchObject({
    kind: 'expire',
    amountMicro: -3,
    balanceMicro: 9,
  })
  ledger.setNow(later(2).getTime())
  ledger.expire()
  expect(ledger.entries.get('expire:monthly:sub_1-2026-03')).toMatchObject({ amountMicro: -3 })
  expect(await freeOfAll(ledger)).toEqual([0, 0, 5])
})

test('[L19] credit ends at its moment, not before', async () => {
  const ledger = memory()
  await monthly(ledger, 4, later(1))
  ledger.setNow(later(1).getTime() - 1)
  expect(await freeOfAll(ledger)).toEqual([0, 4, 0])
  ledger.setNow(later(1).getTime())
  expect(await freeOfAll(ledger)).toEqual([0, 0, 0])
})

test('[L19] a period told of after its end gives credit and takes it back at once', async () => {
  const ledger = memory()
  expect(await monthly(ledger, 4, later(-3))).toMatchObject({ is: 'granted' })
  expect(keys(ledger)).toEqual(['monthly:sub_1-2026-03', 'expire:monthly:sub_1-2026-03'])
  expect(await freeOfAll(ledger)).toEqual([0, 0, 0])
})

test('[L21] a hold placed before midnight is good after it; what it gives back has ended', async () => {
  const ledger = memory()
  await daily(ledger, 10)
  await bought(ledger, 'pi_1', 10)
  await hold(ledger, 'hold_1', 8)
  ledger.setNow(startMs + dayMs)
  expect(await ledger.played.extend({ holdId: 'hold_1', n: 1, addMicro: 4, epoch: 1 })).toEqual({
    is: 'held',
    amountMicro: 12,
  })
  expect(await freeOfAll(ledger)).toEqual([0, 0, 6])
  expect(await settle(ledger, 'hold_1', 5)).toMatchObject({ receipt: { totalMicro: 5 } })
  // 5 of the 8 of yesterday were used, 3 are gone; nothing of what was bought was touched.
  expect(ledger.entries.get('settle:hold_1')?.moves).toEqual([
    { grantId: `daily:${today}`, tier: 'daily', amountMicro: -5 },
  ])
  expect(ledger.entries.get(`expire:daily:${today}:hold_1`)).toMatchObject({ amountMicro: -3 })
  expect(await freeOfAll(ledger)).toEqual([0, 0, 10])
})

test('[L21] a settlement charges the grants the hold was given, in burn order, not those that came later', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  await hold(ledger, 'hold_1', 6)
  await daily(ledger, 10)
  await settle(ledger, 'hold_1', 4)
  expect(await freeOfAll(ledger)).toEqual([10, 0, 6])
})

test('[L21] credit that a hold got later but that burns earlier is charged first', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  await hold(ledger, 'hold_1', 6)
  await daily(ledger, 10)
  await ledger.played.extend({ holdId: 'hold_1', n: 1, addMicro: 6, epoch: 1 })
  await settle(ledger, 'hold_1', 7)
  expect(await freeOfAll(ledger)).toEqual([4, 0, 9])
})

test('[L19] a store whose clock is set back expires nothing twice', async () => {
  const ledger = memory()
  await daily(ledger, 10)
  await hold(ledger, 'hold_1', 4)
  await hold(ledger, 'hold_2', 4)
  ledger.setNow(startMs + dayMs)
  ledger.expire()
  ledger.setNow(startMs)
  await settle(ledger, 'hold_1', 1)
  expect(await freeOfAll(ledger)).toEqual([0, 0, 0])
  ledger.setNow(startMs + dayMs)
  await settle(ledger, 'hold_2', 1)
  const expired = [...ledger.entries.values()].filter(({ kind }) => kind === 'expire')
  expect(expired.map(({ amountMicro }) => amountMicro)).toEqual([-2, -3, -3])
})

test('[L22] a refund takes what is left of its grant; what was spent of it is owed, and blocks until credit comes', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 100)
  await deduct(ledger, 'turn_1', 60)
  expect(await refund(ledger, 're_1', 100)).toMatchObject({
    is: 'refunded',
    owedMicro: 60,
    entry: { amountMicro: -40 },
  })
  expect(await ledger.played.getCreditBalance()).toMatchObject({ debtMicro: 60, availableMicro: 0, postedMicro: 0 })
  expect(await hold(ledger, 'hold_1', 1)).toEqual({ is: 'out_of_credit', shortfallMicro: 61 })
  expect(await hold(ledger, 'hold_1', 0)).toEqual({ is: 'out_of_credit', shortfallMicro: 60 })
  expect(await deduct(ledger, 'turn_2', 0)).toEqual({ is: 'out_of_credit', shortfallMicro: 60 })
  await daily(ledger, 10)
  expect(await ledger.played.getCreditBalance()).toMatchObject({ debtMicro: 50, availableMicro: 0 })
  await bought(ledger, 'pi_2', 80)
  expect(ledger.entries.get('repay:purchase:pi_2')).toMatchObject({ amountMicro: -50, debtMicro: -50 })
  expect(await freeOfAll(ledger)).toEqual([0, 0, 30])
  expect(await hold(ledger, 'hold_1', 30)).toMatchObject({ is: 'held' })
})

test('[L22] what a live session holds of a refunded grant is owed at first, and paid by what the session gives back', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 100)
  await hold(ledger, 'hold_1', 70)
  expect(await refund(ledger, 're_1', 100)).toMatchObject({ owedMicro: 70, entry: { amountMicro: -30 } })
  await settle(ledger, 'hold_1', 20)
  expect(await ledger.played.getCreditBalance()).toMatchObject({ debtMicro: 20, availableMicro: 0, postedMicro: 0 })
})

test('[L22] refunds of one grant never exceed it, and a second refund owes only what is spent anew', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 100)
  await deduct(ledger, 'turn_1', 60)
  expect(await refund(ledger, 're_1', 50)).toMatchObject({ owedMicro: 10, entry: { amountMicro: -40 } })
  expect(await refund(ledger, 're_2', 51)).toEqual({ is: 'too_much', refundableMicro: 50 })
  expect(await refund(ledger, 're_2', 50)).toMatchObject({ owedMicro: 50, entry: { amountMicro: 0 } })
  expect(await refund(ledger, 're_2', 50)).toMatchObject({ is: 'refunded', owedMicro: 50 })
  expect(await refund(ledger, 're_3', 1)).toEqual({ is: 'too_much', refundableMicro: 0 })
  expect((await ledger.played.getCreditBalance()).debtMicro).toBe(60)
})

test('[L22] a refund before its payment is told so, and can be tried again after it', async () => {
  const ledger = memory()
  expect(await refund(ledger, 're_1', 10)).toEqual({ is: 'unknown_grant' })
  await bought(ledger, 'pi_1', 10)
  expect(await refund(ledger, 're_1', 10)).toMatchObject({ is: 'refunded', owedMicro: 0 })
  // An entry that gave no credit is no grant.
  await bought(ledger, 'pi_2', 10)
  await deduct(ledger, 'turn_1', 1)
  expect(await refund(ledger, 're_2', 1, 'turn_1')).toEqual({ is: 'unknown_grant' })
})

test('[L22] credit that ended unspent is not owed', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 100, later(1))
  await deduct(ledger, 'turn_1', 30)
  ledger.setNow(later(2).getTime())
  expect(await refund(ledger, 're_1', 100)).toMatchObject({ owedMicro: 30 })
})

test('[L22] a fee is paid from what is free, and owed beyond it', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  await ledger.played.debt({ key: 'dispute:dp_1', amountMicro: 15, note: 'fee' })
  expect(await ledger.played.getCreditBalance()).toMatchObject({ debtMicro: 5, postedMicro: 0 })
})

test('[L23] more grants than an account keeps apart become one, and a refund finds its credit there', async () => {
  const ledger = memory()
  for (let i = 1; i <= maxGrants + 20; i++) await bought(ledger, `pi_${i}`, 10)
  expect(ledger.account.grants.size).toBe(maxGrants)
  expect(ledger.account.postedMicro).toBe(10 * (maxGrants + 20))
  expect(await refund(ledger, 're_1', 10, 'purchase:pi_5')).toMatchObject({ owedMicro: 0, entry: { amountMicro: -10 } })
  expect(await refund(ledger, 're_2', 10, 'purchase:pi_60')).toMatchObject({ owedMicro: 0 })
  // Of the 21 that became one, the first 200 were spent; the rest of a refund is owed.
  await deduct(ledger, 'turn_1', 195)
  expect(await refund(ledger, 're_3', 10, 'purchase:pi_7')).toMatchObject({ owedMicro: 5, entry: { amountMicro: -5 } })
})

test('[L23] credit that ends is never put together with credit that does not', async () => {
  const ledger = memory()
  for (let i = 1; i <= 3; i++) await bought(ledger, `pi_end${i}`, 10, later(i))
  await monthly(ledger, 10)
  for (let i = 1; i <= maxGrants; i++) await bought(ledger, `pi_${i}`, 10)
  expect(ledger.account.grants.size).toBe(maxGrants)
  expect(ledger.account.grants.get('purchase:pi_1')?.leftMicro).toBe(50)
  ledger.setNow(later(25).getTime())
  expect(await freeOfAll(ledger)).toEqual([0, 0, 10 * maxGrants])
})

test('[L18] lines of a deduction sum to it, else it is refused', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  const deduction = { key: 'turn_1', amountMicro: 4, note: '' }
  await expect(ledger.played.deductCredits({ ...deduction, lines: line(5) })).rejects.toMatchObject({ code: 'invalid' })
  await expect(ledger.played.deductCredits({ ...deduction, sessionId: 'sess_1' })).rejects.toMatchObject({
    code: 'invalid',
  })
  expect(await ledger.played.deductCredits({ ...deduction, lines: line(4), sessionId: 'sess_1' })).toMatchObject({
    is: 'deducted',
  })
})

test('[L15] a tenant whose entries do not give its balance deducts nothing', async () => {
  const ledger = memory()
  await bought(ledger, 'pi_1', 10)
  ledger.account = { ...ledger.account, breached: true }
  await expect(deduct(ledger, 'turn_1', 1)).rejects.toMatchObject({ code: 'unavailable' })
  await expect(hold(ledger, 'hold_1', 1)).rejects.toMatchObject({ code: 'unavailable' })
})
