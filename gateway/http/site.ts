// The built front ends, with the headers that keep them apart from the pages that embed them.

import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import type { HttpBindings } from '@hono/node-server'
import type { Context, Hono } from 'hono'

export interface Site {
  readonly widgetDir: string
  readonly consoleDir: string
  readonly apiDocsDir: string
  /** Origins that may frame the panel of this site key; undefined for a key nobody has. */
  readonly frameAncestors: (siteKey: string) => Promise<readonly string[] | undefined>
  /** Tenants of the demo page; empty when the demo is off. */
  readonly demoTenants: () => Promise<
    readonly { slug: string; name: string; agent: string; key: string; accent: string; blurb: string }[]
  >
}

type Env = { Bindings: HttpBindings }

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

const panelPolicy = (ancestors: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self' ws: wss:",
    "img-src 'self' https: data:",
    "media-src 'self'",
    `frame-ancestors 'self' ${ancestors.join(' ')}`.trimEnd(),
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')

const pagePolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: https:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ')

/** The API's page shows what our own API says and nothing else. */
const apiDocsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

export function siteRoutes(app: Hono<Env>, site: Site): void {
  app.get('/widget.js', (context) =>
    file(context, site.widgetDir, 'loader.js', {
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=300',
    }),
  )
  app.get('/widget/panel', async (context) => {
    const ancestors = await site.frameAncestors(context.req.query('key') ?? '')
    return file(context, site.widgetDir, 'panel.html', {
      'content-security-policy': panelPolicy(ancestors ?? []),
      'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
      'cache-control': 'no-cache',
    })
  })
  app.get('/widget/*', (context) =>
    file(context, site.widgetDir, context.req.path.slice('/widget/'.length), assetHeaders(context.req.path)),
  )
  app.get('/demo', (context) => page(context, site.widgetDir, 'demo.html'))
  app.get('/console', (context) => page(context, site.consoleDir, 'index.html'))
  app.get('/console/*', async (context) => {
    const path = context.req.path.slice('/console/'.length)
    return extname(path) === ''
      ? page(context, site.consoleDir, 'index.html')
      : file(context, site.consoleDir, path, assetHeaders(path))
  })
  app.get('/docs', (context) =>
    file(context, site.apiDocsDir, 'index.html', {
      'content-security-policy': apiDocsPolicy,
      'cache-control': 'no-cache',
      'permissions-policy': 'microphone=(), camera=()',
    }),
  )
  app.get('/docs/*', async (context) => {
    const path = context.req.path.slice('/docs/'.length)
    return path === '' ? context.redirect('/docs') : file(context, site.apiDocsDir, path, assetHeaders(path))
  })
  app.get('/', (context) => context.redirect('/demo'))
}

/** Hashed names never change; the rest is asked for again. */
function assetHeaders(path: string): Record<string, string> {
  const hashed = /-[\w-]{8,}\.\w+$/.test(path)
  return {
    'cache-control': hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    'cross-origin-resource-policy': 'cross-origin',
  }
}

function page(context: Context<Env>, dir: string, name: string): Promise<Response> {
  return file(context, dir, name, {
    'content-security-policy': pagePolicy,
    'cache-control': 'no-cache',
    'permissions-policy': 'microphone=(self), camera=()',
  })
}

async function file(
  context: Context<Env>,
  dir: string,
  name: string,
  headers: Record<string, string>,
): Promise<Response> {
  const path = normalize(join(dir, decodeURIComponent(name)))
  if (!path.startsWith(dir + sep)) return context.notFound()
  try {
    const body = await readFile(path)
    return new Response(new Uint8Array(body), {
      headers: { 'content-type': types[extname(path)] ?? 'application/octet-stream', ...headers },
    })
  } catch {
    return context.notFound()
  }
}
