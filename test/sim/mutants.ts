// Faults of the design, as patches of the real files: what the protocol would be without one of its parts. Each has to be
// found by the simulation within the seeds given, the rare ones by a test of the slice. A patch that no longer fits fails
// the test: it moves with the code.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: patches are source text

export interface Patch {
  /** Below gateway/. */
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  /** Of which a breach has to be one. */
  readonly rules: readonly string[]
  readonly patches: readonly Patch[]
}

/** Needs a coincidence that worlds seldom have. */
export interface RareMutant {
  readonly name: string
  readonly patches: readonly Patch[]
  /** Below gateway/. */
  readonly file: string
  /** Of the file, the rule of a test that has to fail. */
  readonly rule: string
}

const one = (name: string, rules: readonly string[], patch: Patch): Mutant => ({ name, rules, patches: [patch] })

export const mutants: readonly Mutant[] = [
  {
    name: 'delta counters instead of a high-water',
    rules: ['I3'],
    patches: [
      {
        file: 'ledger/update.ts',
        find: 'update.$max[`${at}.quantity`]',
        replace: 'update.$inc[`${at}.quantity`]',
      },
      {
        file: 'ledger/update.ts',
        find: 'update.$max[`${at}.amountMicro`]',
        replace: 'update.$inc[`${at}.amountMicro`]',
      },
    ],
  },
  one('no fence: a checkpoint under any epoch', ['I6'], {
    file: 'ledger/account-store.ts',
    find: 'const filter = { ...self(tenantId), [`holds.${holdId}.epoch`]: epoch }',
    replace: 'const filter = { ...self(tenantId), [`holds.${holdId}.epoch`]: { $exists: true, $ne: epoch + 1e6 } }',
  }),
  one('no compare-and-swap', ['I1', 'L15'], {
    file: 'ledger/update.ts',
    find: 'const filter: Record<string, unknown> = { v: read.version }',
    replace: 'const filter: Record<string, unknown> = {}',
  }),
  one('no look into the entries', ['I4'], {
    file: 'ledger/mutate.ts',
    find: 'account.outbox.get(key) ?? (await entries.find(tenantId, key))',
    replace: 'account.outbox.get(key)',
  }),
  {
    name: 'the entries read before the account',
    rules: ['I4'],
    patches: [
      {
        file: 'ledger/mutate.ts',
        find: '  const account = await accounts.find(tenantId)\n',
        replace:
          '  const first = await accounts.find(tenantId)\n' +
          '  const early = first === undefined ? undefined : await entries.find(tenantId, operation.key(first))\n' +
          '  const account = await accounts.find(tenantId)\n',
      },
      {
        file: 'ledger/mutate.ts',
        find: 'account.outbox.get(key) ?? (await entries.find(tenantId, key))',
        replace: 'account.outbox.get(key) ?? early',
      },
    ],
  },
  one('the outbox cleared before its entries are appended', ['I1'], {
    file: 'ledger/ledger.ts',
    find:
      '        moved += await entries.append(tenantId, account)\n' +
      '        await accounts.clear(tenantId, account)\n',
    replace:
      '        await accounts.clear(tenantId, account)\n' +
      '        moved += await entries.append(tenantId, account)\n',
  }),
  one('no cap of the charge at the hold', ['I2'], {
    file: 'ledger/operations.ts',
    find: 'Math.min(usedMicro, hold.amountMicro)',
    replace: 'usedMicro',
  }),
  one('a janitor that does not look at checkpoints made since', ['I7'], {
    file: 'ledger/operations.ts',
    find: 'hold.epoch === by.seen.epoch && hold.checkpoints === by.seen.checkpoints',
    replace: 'hold.epoch === by.seen.epoch',
  }),
  {
    name: 'a settlement without a key and without the guard that the hold is there',
    rules: ['I1', 'I4', 'I5'],
    patches: [
      {
        file: 'ledger/operations.ts',
        find: 'key: () => `settle:${holdId}`',
        replace: 'key: (account) => `settle:${holdId}:${account.version}`',
      },
      {
        file: 'ledger/perform.ts',
        find: "else if (hold?.is === 'close') holds.delete(hold.hold.holdId)",
        replace: '',
      },
    ],
  },
  one('credit that holds have expires too', ['I2'], {
    file: 'ledger/perform.ts',
    find: 'const due = freeGrants(progress.account).filter(',
    replace:
      'const due = freeGrants(progress.account).map(({ grant }) => ({ grant, freeMicro: grant.leftMicro })).filter(',
  }),
  one('debt is not paid by credit that comes in', ['L22'], {
    file: 'ledger/perform.ts',
    find: 'fold(repay(expired, key))',
    replace: 'fold(expired)',
  }),
  one('settlements are moved without their receipts', ['L15', 'receipts'], {
    file: 'ledger/entry-store.ts',
    find: 'if (bills.length > 0) await insertMissing(db, names.receipts, bills)',
    replace: '',
  }),
  one('a takeover that does not raise the epoch', ['I5', 'I6'], {
    file: 'ledger/account-store.ts',
    find: '$inc: { v: 1, [`${path}.epoch`]: 1 }',
    replace: '$inc: { v: 1 }',
  }),
  one('any owner settles', ['I6'], {
    file: 'ledger/operations.ts',
    find: "if ('epoch' in by) return hold.epoch === by.epoch",
    replace: "if ('epoch' in by) return true",
  }),
  one('a heartbeat sets its counters, greater or not', ['U8'], {
    file: 'usage/slots.ts',
    find: 'if not before or tonumber(before) < tonumber(ARGV[i + 1]) then',
    replace: 'if true then',
  }),
  one('a heartbeat of any epoch', ['U8'], {
    file: 'usage/slots.ts',
    find: 'if epoch > tonumber(ARGV[3]) then return 0 end\n',
    replace: '',
  }),
  one('a new owner goes on with the counters of the old one', ['U8', 'I3'], {
    file: 'usage/slots.ts',
    find: "if epoch < tonumber(ARGV[3]) then redis.call('DEL', KEYS[2]) end\n",
    replace: '',
  }),
  one('a new owner counts from zero', ['S14', 'I5'], {
    file: 'sessions/budget.ts',
    find: 'this.#before = facts.baseline ?? nothingYet',
    replace: 'this.#before = nothingYet',
  }),
  one('words are said to be durable when they are sent', ['S12'], {
    file: 'sessions/recorder.ts',
    find: 'const writing = this.#options.write(batch).then(',
    replace: 'this.#tellStored(batch)\n    const writing = this.#options.write(batch).then(',
  }),
  one('an older version of a turn replaces a newer one', ['S12', 'S20'], {
    file: 'transcript/turn-store.ts',
    find: '$nor: late ? newer : [...newer, { fence: { $gt: epoch } }]',
    replace: '$nor: [{ _id: "none" }]',
  }),
  one('turns that wait are not kept on disk', ['T9'], {
    file: 'transcript/turn-writer.ts',
    find: 'wal.put({ tenantId, ...each.version })',
    replace: '',
  }),
  one('what a dead process left on disk is not written', ['T9'], {
    file: 'transcript/transcript.ts',
    find: '(await wal?.replay(store)) ?? { files: 0, turns: 0, fenced: 0, damaged: 0 }',
    replace: '({ files: 0, turns: 0, fenced: 0, damaged: 0 })',
  }),
  one('a flush clears what came in meanwhile too', ['I1'], {
    file: 'ledger/account-store.ts',
    find: 'await loose.updateOne(self(tenantId), { $unset: moved })',
    replace: 'await loose.updateOne(self(tenantId), { $set: { outbox: {} } })',
  }),
  one('credit is granted whatever is free', ['I2'], {
    file: 'ledger/burn.ts',
    find: 'return account.debtMicro + amountMicro - availableMicro(account)',
    replace: 'return 0',
  }),
  one('credit that has ended is spent', ['L19'], {
    file: 'ledger/perform.ts',
    find: 'const before = expireDue(read)',
    replace: 'const before: Progress = { account: read, entries: [] }',
  }),
  one('the lines of a receipt are not cut to the charge', ['receipts', 'L15'], {
    file: 'ledger/operations.ts',
    find: 'lines: cutLines(used, chargeMicro)',
    replace: 'lines: used',
  }),
]

const rare = (name: string, [file, rule]: readonly [string, string], patch: Patch): RareMutant => ({
  ...{ name, file, rule, patches: [patch] },
})

export const rareMutants: readonly RareMutant[] = [
  rare('a fence does not keep owners before from a turn', ['transcript/transcript.db.test.ts', 'T12'], {
    file: 'transcript/turn-store.ts',
    find: '$nor: late ? newer : [...newer, { fence: { $gt: epoch } }]',
    replace: '$nor: newer',
  }),
  rare('progress of a session under any epoch', ['sessions/store.db.test.ts', 'S14'], {
    file: 'sessions/store.ts',
    find: '{ _id: sessionId, tenantId, epoch, alive: true, $nor: [later] }',
    replace: '{ _id: sessionId, tenantId, alive: true, $nor: [later] }',
  }),
  rare('progress of a session in any order', ['sessions/store.db.test.ts', 'S14'], {
    file: 'sessions/store.ts',
    find: '{ _id: sessionId, tenantId, epoch, alive: true, $nor: [later] }',
    replace: '{ _id: sessionId, tenantId, epoch, alive: true, $nor: [{ ...later, _id: "none" }] }',
  }),
  rare('an owner that lets go has not the last word', ['sessions/store.db.test.ts', 'S14'], {
    file: 'sessions/store.ts',
    find: 'written: { epoch: now.epoch, order: lastWord }',
    replace: 'written: { epoch: now.epoch, order: 0 }',
  }),
  rare('an owner before ends the session', ['sessions/store.db.test.ts', 'S20'], {
    file: 'sessions/store.ts',
    find: '{ _id: sessionId, tenantId, alive: true, ...end.onlyIf }',
    replace: '{ _id: sessionId, tenantId, alive: true }',
  }),
  rare('a checkpoint proves the moment in which its answer is read', ['sessions/budget.test.ts', 'S20'], {
    file: 'sessions/budget.ts',
    find: 'this.#confirmedAtMs = askedAtMs',
    replace: 'this.#confirmedAtMs = this.#deps.clock.monotonicMs()',
  }),
  rare('an item has another turn with each owner', ['sessions/recorder.test.ts', 'S17'], {
    file: 'sessions/recorder.ts',
    find: "id: idOf('turn', sessionId, itemId)",
    replace: "id: idOf('turn', sessionId, itemId, String(Math.random()))",
  }),
  rare("a dead process's words are refused by a fence", ['transcript/replay.db.test.ts', 'T12'], {
    file: 'transcript/turn-store.ts',
    find: '$nor: late ? newer : [...newer, { fence: { $gt: epoch } }]',
    replace: '$nor: [...newer, { fence: { $gt: epoch } }]',
  }),
  rare('a file of the log goes before the store has it', ['transcript/wal.test.ts', 'T9'], {
    file: 'transcript/wal.ts',
    find: 'total.fenced += await store(records.slice(at, at + replayBatch))',
    replace: 'void store(records.slice(at, at + replayBatch)).catch(() => {})',
  }),
  rare('what was decided before a grant ended is written after it', ['ledger/late-write.db.test.ts', 'L19'], {
    file: 'ledger/update.ts',
    find: "if (endsAt !== undefined) filter.$expr = { $gt: [endsAt, '$$NOW'] }\n",
    replace: '',
  }),
  {
    name: 'each owner counts what is said to it',
    ...{ file: 'sessions/budget.test.ts', rule: 'S38' },
    patches: [
      {
        file: 'sessions/recorder.ts',
        find: '      this.#noteMessage(turn)\n',
        replace: '',
      },
      {
        file: 'sessions/budget.ts',
        find: 'Math.max(messages, this.#deps.messages())',
        replace: 'messages + this.#deps.messages()',
      },
    ],
  },
  rare('a janitor leaves turns open', ['sessions/janitor.db.test.ts', 'S15'], {
    file: 'sessions/janitor.ts',
    find: 'await deps.transcript.of(session.tenantId).closePartial(session.sessionId, { epoch: session.epoch + 1 })\n',
    replace: '',
  }),
]
