// Light, dark, or whatever the system says; remembered in this browser.

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const storageKey = 'parley.theme'

export function isTheme(value: unknown): value is Theme {
  return themes.some((theme) => theme === value)
}

export function rememberedTheme(): Theme {
  const value = read(storageKey)
  return isTheme(value) ? value : 'system'
}

export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  write(storageKey, theme)
}

const tenantKey = 'parley.tenant'

export function rememberedTenant(): string | undefined {
  return read(tenantKey) ?? undefined
}

export function rememberTenant(slug: string): void {
  write(tenantKey, slug)
}

// Storage throws where cookies are blocked; the console works without memory.
function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Nothing to do: the choice holds until the page is closed.
  }
}
