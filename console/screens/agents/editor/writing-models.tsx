// What an agent may name as its model: from the gateway, with what cannot be asked here and why.

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { textModelsQuery } from '../../../api/agent-queries.ts'
import { useScope } from '../../../api/scope.tsx'

export interface WritingModels {
  readonly providers: readonly string[]
  /** Those of the provider; of all where none is named. */
  readonly models: readonly string[]
  /** As a stand-in names them: another provider's with its name before it. */
  readonly standIns: readonly string[]
  /** Why the provider, or the model, cannot be asked here. Undefined: it can, or nobody knows it. */
  readonly providerOff: string | undefined
  readonly modelOff: string | undefined
  readonly off: readonly { readonly provider: string; readonly models: readonly string[]; readonly why: string }[]
}

export function useWritingModels(provider: string, model: string): WritingModels {
  const list = useQuery(textModelsQuery(useScope())).data?.items
  return useMemo(() => {
    const all = list ?? []
    const own = all.filter((each) => provider === '' || each.provider === provider)
    const providers = [...new Set(all.map((each) => each.provider))]
    const isOff = own.length > 0 && own.every((each) => each.off !== undefined)
    const off = providers.flatMap((name) => {
      const those = all.filter((each) => each.provider === name && each.off !== undefined)
      const why = those[0]?.off
      return why === undefined ? [] : [{ provider: name, models: those.map((each) => each.model), why }]
    })
    const able = all.filter((each) => each.off === undefined)
    return {
      providers,
      models: [...new Set(own.map((each) => each.model))],
      standIns: [
        ...new Set(able.map((each) => (each.provider === provider ? each.model : `${each.provider}:${each.model}`))),
      ],
      providerOff: provider !== '' && isOff ? own[0]?.off : undefined,
      modelOff: own.find((each) => each.model === model)?.off,
      off,
    }
  }, [list, provider, model])
}

/** What is named and off stays named: the day the gateway has a key for it, it is asked. */
export function OffModels({ off }: Pick<WritingModels, 'off'>) {
  if (off.length === 0) return null
  return (
    <details className="models-off">
      <summary>Models that are off here</summary>
      <ul>
        {off.map(({ provider, models, why }) => (
          <li key={provider}>
            <strong>{provider}</strong>: {why}
            <small>{models.join(', ')}</small>
          </li>
        ))}
      </ul>
    </details>
  )
}
