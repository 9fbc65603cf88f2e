// What an operator pastes into a website, and where the gateway's own demo page is.

export const demoPath = '/demo'

export function embedSnippet(origin: string, siteKey: string): string {
  return `<script src="${origin}/widget/loader.js" data-key="${siteKey}" async></script>`
}
