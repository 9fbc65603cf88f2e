import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createApi } from './api/client.ts'
import { createQueryClient } from './api/queries.ts'
import { createConsoleRouter } from './routes.tsx'
import { applyTheme, rememberedTheme } from './shell/preferences.ts'
import { HotkeyProvider } from './ui/hotkey-context.tsx'
import './ui/tokens.css'
import './ui/base.css'
import './ui/controls.css'
import './ui/form.css'
import './ui/lists.css'
import './ui/overlays.css'

applyTheme(rememberedTheme())

const api = createApi((input, init) => fetch(input, init))
const queries = createQueryClient(() => leave())
const router = createConsoleRouter({ api, queries })

/** Any 401 ends here: whatever the screens hold is no longer ours to show. */
function leave(): void {
  const { pathname, publicHref } = router.latestLocation
  if (pathname.endsWith('/sign-in')) return
  void router.navigate({ to: '/sign-in', search: { back: publicHref } }).then(() => queries.clear())
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

const container = document.getElementById('root')
if (container !== null)
  createRoot(container).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <HotkeyProvider>
          <RouterProvider router={router} />
        </HotkeyProvider>
      </QueryClientProvider>
    </StrictMode>,
  )
