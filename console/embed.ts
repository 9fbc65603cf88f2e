// What an operator pastes into a website, and where the gateway's own demo page is.

export const demoPath = '/demo'

export function embedSnippet(origin: string, siteKey: { readonly key: string; readonly agentSlug: string }): string {
  return `<script src="${origin}/widget.js" data-agent="${siteKey.agentSlug}" data-key="${siteKey.key}" async></script>`
}
