// `vite build -c widget/vite.config.ts`, or scripts/build.ts.
// Panel and demo are pages; loader and worklet are single files under names that never change.

import { build, defineConfig, type Plugin } from 'vite'

/** Any working directory will do. */
const here = import.meta.dirname

/** The first browsers with light-dark(), which the colours are written in. */
const browsers = ['chrome123', 'firefox120', 'safari17.5']
const target = ['es2023', ...browsers]

/** A classic script and a worklet cannot share chunks with the pages: each is built on its own and put beside them. */
function singleFile(name: string): Plugin {
  return {
    name: `single-file-${name}`,
    async generateBundle() {
      const built = await build({
        root: here,
        configFile: false,
        logLevel: 'warn',
        build: {
          write: false,
          target,
          modulePreload: { polyfill: false },
          rolldownOptions: { input: `${here}/${name}.ts`, output: { format: 'iife', entryFileNames: `${name}.js` } },
        },
      })
      const outputs = Array.isArray(built) ? built : 'output' in built ? [built] : []
      for (const file of outputs.flatMap(({ output }) => output)) {
        if (file.type === 'chunk') this.emitFile({ type: 'asset', fileName: `${name}.js`, source: file.code })
      }
    },
  }
}

/** The gateway serves `dist/demo.html`; Vite would keep the folder of the source. */
const demoBesidePanel: Plugin = {
  name: 'demo-beside-panel',
  enforce: 'post',
  generateBundle(_options, bundle) {
    const demo = bundle['demo/demo.html']
    if (demo !== undefined) demo.fileName = 'demo.html'
  },
}

export default defineConfig({
  root: here,
  base: '/widget/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [singleFile('loader'), singleFile('worklet'), demoBesidePanel],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target,
    // With a language version among the targets, light-dark() would be written out for browsers before it.
    cssTarget: browsers,
    // The panel's policy refuses data: URLs for anything but images, and inline scripts altogether.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { panel: `${here}/panel.html`, demo: `${here}/demo/demo.html` } },
  },
})
