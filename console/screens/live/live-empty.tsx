import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { siteKeysQuery } from '../../api/queries.ts'
import { useMay, useScope } from '../../api/scope.tsx'
import { demoPath, embedSnippet } from '../../embed.ts'
import { CodeBlock } from '../../ui/copy.tsx'
import { Empty } from '../../ui/states.tsx'

export function LiveEmpty() {
  const scope = useScope()
  const keys = useQuery({ ...siteKeysQuery(scope), enabled: useMay()('keys.read') }).data?.items ?? []
  const key = keys.find((one) => one.status === 'active')
  return (
    <Empty icon="live" title="No one is talking">
      <p>Sessions appear here the moment they begin. Try one yourself, or put the agent on a website.</p>
      <p>
        <a className="button" data-variant="primary" href={demoPath} target="_blank" rel="noreferrer">
          Open the demo page
        </a>
      </p>
      {key === undefined ? (
        <p className="quiet">
          The embed snippet needs a site key: <Link to="/keys">create one</Link>.
        </p>
      ) : (
        <div className="live-snippet">
          <p className="quiet">Paste this before the end of a page of yours:</p>
          <CodeBlock code={embedSnippet(window.location.origin, key)} label="embed snippet" />
        </div>
      )}
    </Empty>
  )
}
