import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import { type KnowledgeSourceView, maxSourceBytes } from '../../../gateway/protocol/knowledge.ts'
import { isBusy, sourcesQuery } from '../../api/knowledge-queries.ts'
import { inWords } from '../../api/problem.ts'
import { Allowed, useMay, useScope } from '../../api/scope.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { count } from '../../ui/format.ts'
import { useHotkeys } from '../../ui/hotkey-context.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Inspector } from '../../ui/inspector.tsx'
import { folded, phone, useMedia } from '../../ui/media.ts'
import { notifyFailed } from '../../ui/notify.ts'
import { Page } from '../../ui/page.tsx'
import { Empty, Loading, ProblemBox } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import { AddPage } from './add-page.tsx'
import { DropPlace } from './drop-place.tsx'
import { SourceHead, SourceRow } from './source-row.tsx'
import { TrySearch } from './try-search.tsx'
import { type Uploads, useUploads } from './use-uploads.ts'
import { acceptedFiles, fileSize } from './words.ts'
import './knowledge.css'

/** What the tenant's agents may look up. */
export function Knowledge() {
  const { chosen } = useScope()
  const writes = useMay()('knowledge.write')
  const uploads = useUploads()
  const [adding, setAdding] = useState(false)
  const narrow = useMedia(folded)
  const sources = <Sources uploads={uploads} onAdd={() => setAdding(true)} />
  return (
    <Page
      title="Knowledge"
      name={`Knowledge · ${chosen.name}`}
      actions={writes && <Adding uploads={uploads} onAdd={() => setAdding(true)} />}
      fill
    >
      <DropPlace onFiles={writes ? uploads.send : undefined}>
        {narrow ? (
          <Inspector
            label="Knowledge"
            panes={[
              { id: 'sources', name: 'Sources', content: sources, fill: true },
              { id: 'try', name: 'Try a search', content: <TrySearch />, keep: true },
            ]}
          />
        ) : (
          <div className="knowledge-columns">
            {sources}
            <aside aria-label="Try a search">
              <TrySearch />
            </aside>
          </div>
        )}
      </DropPlace>
      {adding && writes && <AddPage onClose={() => setAdding(false)} />}
    </Page>
  )
}

function Adding({ uploads, onAdd }: { uploads: Uploads; onAdd: () => void }) {
  const input = useRef<HTMLInputElement>(null)
  const pick = () => input.current?.click()
  useHotkeys(useMemo(() => ({ n: () => input.current?.click() }), []))
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        accept={acceptedFiles}
        className="sr"
        tabIndex={-1}
        aria-label="Files to upload"
        onChange={(event) => {
          uploads.send([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
      <Button icon="globe" onClick={onAdd}>
        Add a page
      </Button>
      <Button variant="primary" icon="upload" onClick={pick}>
        Upload
      </Button>
    </>
  )
}

function Sources({ uploads, onAdd }: { uploads: Uploads; onAdd: () => void }) {
  const sources = useQuery(sourcesQuery(useScope()))
  const small = useMedia(phone)
  const writes = useMay()('knowledge.write')
  const list = sources.data ?? []
  return (
    <div className="knowledge-sources">
      {list.length > 0 && <Summary sources={list} />}
      <Sending uploads={uploads} />
      {sources.isPending && <Loading rows={6} label="Loading the sources" />}
      {sources.isError && list.length === 0 && (
        <ProblemBox error={sources.error} onRetry={() => void sources.refetch()} />
      )}
      {sources.isSuccess && list.length === 0 && (
        <Empty icon="book" title="Nothing to look up yet">
          <p>
            PDF, Word, HTML, Markdown and CSV files, or pages of the web. Agents with a knowledge tool answer from them
            and say where it stands.
          </p>
          {writes && (
            <>
              <p className="quiet">Drop files here, up to {fileSize(maxSourceBytes)} each, or</p>
              <Button icon="globe" onClick={onAdd}>
                Add a page
              </Button>
            </>
          )}
        </Empty>
      )}
      {list.length > 0 && (
        <VirtualRows
          label="Sources, newest first"
          count={list.length}
          rowPx={small ? 84 : 58}
          keyOf={(index) => list[index]?.id ?? String(index)}
          row={(index) => {
            const source = list[index]
            return source && <SourceRow source={source} />
          }}
          head={<SourceHead />}
        />
      )}
    </div>
  )
}

function Summary({ sources }: { sources: readonly KnowledgeSourceView[] }) {
  const busy = sources.filter(isBusy)
  const failed = sources.filter(({ state }) => state === 'failed').length
  const progress = busy.reduce((sum, each) => sum + each.progress, 0) / Math.max(1, busy.length)
  return (
    <p className="knowledge-summary quiet" role="status">
      {count(sources.length)} sources · {count(sources.reduce((sum, each) => sum + each.chunks, 0))} passages
      {failed > 0 && ` · ${failed} failed`}
      {busy.length > 0 && ` · ${busy.length} being read`}
      {busy.length > 0 && <progress max={100} value={progress} aria-label="All that is being read" />}
      {busy.length === 0 && (
        <Allowed to="knowledge.write">
          <ReadAllAgain />
        </Allowed>
      )}
    </p>
  )
}

function ReadAllAgain() {
  const { api, tenant } = useScope()
  const queries = useQueryClient()
  const run = useMutation({
    mutationFn: api.knowledge.readAllAgain,
    onSuccess: () => queries.invalidateQueries({ queryKey: [tenant, 'knowledge'] }),
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <Button variant="ghost" icon="refresh" busy={run.isPending} onClick={() => run.mutate()}>
      Read all again
    </Button>
  )
}

function Sending({ uploads }: { uploads: Uploads }) {
  if (uploads.list.length === 0) return null
  return (
    <ul className="uploads" aria-label="Uploads">
      {uploads.list.map((upload) => (
        <li key={upload.key} data-failed={upload.failed !== undefined || undefined}>
          <Icon name={upload.failed === undefined ? 'upload' : 'alert'} />
          <span>
            {upload.name} <small>{upload.failed ?? `${fileSize(upload.bytes)}, on its way …`}</small>
          </span>
          {upload.failed === undefined ? (
            <progress aria-label={`Uploading ${upload.name}`} />
          ) : (
            <IconButton icon="close" label={`Dismiss ${upload.name}`} onClick={() => uploads.dismiss(upload.key)} />
          )}
        </li>
      ))}
    </ul>
  )
}
