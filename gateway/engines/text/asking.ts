// One answer from a list of models: the first that gives it, each with a limited patience, each on the bill.

import type { Clock } from '../../platform/clock.ts'
import { failureOf, PartFailure } from './failure.ts'
import { goOn } from './go-on.ts'
import type { Piece } from './model.ts'
import type { Health } from './order.ts'
import { Patience, type Times } from './patience.ts'
import { Tally } from './tally.ts'
import type { AskOptions, TextModel, TextPrompt } from './text-model.ts'

export interface AskingNeeds {
  readonly clock: Clock
  readonly health: Health
  readonly times: Times
}

export class Asking {
  readonly #needs: AskingNeeds

  constructor(needs: AskingNeeds) {
    this.#needs = needs
  }

  async *ask(models: readonly TextModel[], prompt: TextPrompt, on: AskOptions): AsyncGenerator<Piece> {
    const { health } = this.#needs
    let failure = new PartFailure('llm_unavailable')
    let said = ''
    for (const { part: model, isLast } of health.turns(models, () => failure)) {
      on.asking?.(model)
      try {
        for await (const piece of this.#one(model, continued(prompt, said), { ...on, isLast })) {
          if (piece.is === 'text') said += piece.delta
          yield piece
        }
        health.worked(model.name)
        return
      } catch (thrown) {
        if (on.signal.aborted) throw on.signal.reason
        failure = failureOf(thrown)
        health.failed(model.name, failure)
      }
    }
    throw failure
  }

  async *#one(
    model: TextModel,
    prompt: TextPrompt,
    { signal, used, isLast }: AskOptions & { readonly isLast: boolean },
  ): AsyncGenerator<Piece> {
    const { clock, times } = this.#needs
    const patience = new Patience(clock, signal)
    const tally = new Tally()
    let failed: string | undefined = 'aborted'
    patience.wait(isLast ? times.lastMs : times.firstMs)
    try {
      for await (const piece of model.answer(prompt, { signal: patience.signal, tally })) {
        // Whoever reads slowly is not to be blamed on the model.
        patience.rest()
        if (piece.is === 'end') failed = undefined
        yield piece
        patience.wait(times.stallMs)
      }
    } catch (thrown) {
      failed = signal.aborted ? 'aborted' : failureOf(thrown).code
      throw thrown
    } finally {
      patience.rest()
      const { provider, model: name } = model
      used?.({
        ...{ provider, model: name, tokens: tally.tokens, isUnreported: tally.isUnreported },
        ...(failed === undefined ? {} : { failed }),
      })
    }
  }
}

/** Models answer a person: what was said already is told, not shown as their own last words. */
function continued(prompt: TextPrompt, said: string): TextPrompt {
  return said === '' ? prompt : { ...prompt, system: `${prompt.system}\n\n${goOn(said)}`.trim() }
}
