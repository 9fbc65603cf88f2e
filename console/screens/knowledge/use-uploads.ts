// Files on their way to the gateway: one after the other, so that ten large ones do not slow each other down.

import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useRef, useState } from 'react'
import { maxSourceBytes } from '../../../gateway/protocol/knowledge.ts'
import { inWords } from '../../api/problem.ts'
import { useScope } from '../../api/scope.tsx'
import { fileSize } from './words.ts'

export interface Upload {
  readonly key: number
  readonly name: string
  readonly bytes: number
  /** Undefined while it waits or is sent. */
  readonly failed?: string
}

export interface Uploads {
  readonly list: readonly Upload[]
  send(files: readonly File[]): void
  dismiss(key: number): void
}

export function useUploads(): Uploads {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const [list, setList] = useState<readonly Upload[]>([])
  const line = useRef(Promise.resolve())
  const nextKey = useRef(0)
  const dismiss = useCallback((key: number) => setList((old) => old.filter((each) => each.key !== key)), [])
  const send = useCallback(
    (files: readonly File[]) => {
      const fail = (key: number, failed: string) =>
        setList((old) => old.map((each) => (each.key === key ? { ...each, failed } : each)))
      for (const file of files) {
        const key = nextKey.current++
        setList((old) => [...old, { key, name: file.name, bytes: file.size }])
        if (file.size > maxSourceBytes) {
          fail(key, `Larger than ${fileSize(maxSourceBytes)}, which is the limit.`)
          continue
        }
        line.current = line.current.then(async () => {
          try {
            await api.knowledge.upload(file)
            await queries.invalidateQueries({ queryKey: [tenant, 'knowledge'] })
            dismiss(key)
          } catch (error) {
            fail(key, inWords(error))
          }
        })
      }
    },
    [api, tenant, queries, dismiss],
  )
  return { list, send, dismiss }
}
