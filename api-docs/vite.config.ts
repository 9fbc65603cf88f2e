// `vite build -c api-docs/vite.config.ts`, or scripts/build.ts.

import { defineConfig } from 'vite'

/** The first browsers with light-dark(), which the colours are written in. */
const browsers = ['chrome123', 'firefox120', 'safari17.5']

export default defineConfig({
  root: import.meta.dirname,
  base: '/docs/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['es2023', ...browsers],
    // With a language version among the targets, light-dark() would be written out for browsers before it.
    cssTarget: browsers,
    // The page's policy allows no data: URL and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
