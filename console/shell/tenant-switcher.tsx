import { useNavigate } from '@tanstack/react-router'
import { DropdownMenu } from 'radix-ui'
import type { CSSProperties } from 'react'
import { useScope } from '../api/scope.tsx'
import { Icon } from '../ui/icon.tsx'
import { tenantHue } from './tenant-color.ts'

export function tenantStyle(slug: string): CSSProperties & { '--tenant-hue': number } {
  return { '--tenant-hue': tenantHue(slug) }
}

function TenantMark({ slug, name }: { slug: string; name: string }) {
  return (
    <span className="tenant-mark" style={tenantStyle(slug)} aria-hidden="true">
      {name.charAt(0).toUpperCase()}
    </span>
  )
}

export function TenantSwitcher() {
  const { operator, chosen } = useScope()
  const navigate = useNavigate()
  // A session belongs to one tenant, so switching there goes to the new tenant's start.
  const choose = (slug: string) => void navigate({ to: '/', search: { tenant: slug } })
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="tenant-switcher">
        <TenantMark slug={chosen.slug} name={chosen.name} />
        <span className="sr">Tenant</span>
        <span className="tenant-name">
          <strong>{chosen.name}</strong>
          <small>{chosen.role}</small>
        </span>
        <Icon name="down" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="start" sideOffset={4} collisionPadding={8}>
          <DropdownMenu.Label className="menu-label">Tenants</DropdownMenu.Label>
          <DropdownMenu.RadioGroup value={chosen.slug} onValueChange={choose}>
            {operator.tenants.map((tenant) => (
              <DropdownMenu.RadioItem key={tenant.id} value={tenant.slug} className="menu-item">
                <TenantMark slug={tenant.slug} name={tenant.name} />
                <span className="menu-grow">{tenant.name}</span>
                <small>{tenant.role}</small>
                <DropdownMenu.ItemIndicator className="menu-check">
                  <Icon name="check" />
                </DropdownMenu.ItemIndicator>
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
