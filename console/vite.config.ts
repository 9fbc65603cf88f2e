import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// Run from the repository's root: `vite build -c console/vite.config.ts`.
export default defineConfig({
  root: 'console',
  base: '/console/',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // The first browsers with light-dark(), which the design tokens are written in.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: URL would be refused by the console's content security policy for anything but images.
    assetsInlineLimit: 0,
  },
})
