import type { TenantChoice } from '../api/scope.tsx'

/** The tenant of the address, else the one used last, else the first. */
export function chooseTenant(
  tenants: readonly TenantChoice[],
  asked: string | undefined,
  remembered: string | undefined,
): TenantChoice | undefined {
  const bySlug = (slug: string | undefined) => tenants.find((tenant) => tenant.slug === slug)
  return bySlug(asked) ?? bySlug(remembered) ?? tenants[0]
}
