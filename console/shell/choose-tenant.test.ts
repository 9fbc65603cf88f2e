import { expect, test } from 'vitest'
import { chooseTenant } from './choose-tenant.ts'
import { tenantHue } from './tenant-color.ts'

const tenants = ['acme', 'bistro'].map((slug) => ({ id: slug, slug, name: slug, role: 'owner', abilities: [] }))

test('the address decides, then memory, then the first tenant', () => {
  expect(chooseTenant(tenants, 'bistro', 'acme')?.slug).toBe('bistro')
  expect(chooseTenant(tenants, undefined, 'bistro')?.slug).toBe('bistro')
  expect(chooseTenant(tenants, 'somebody-elses', undefined)?.slug).toBe('acme')
  expect(chooseTenant([], 'acme', 'acme')).toBeUndefined()
})

test('a tenant keeps its colour', () => {
  expect(tenantHue('acme')).toBe(tenantHue('acme'))
  expect(tenantHue('acme') % 30).toBe(0)
  expect(tenantHue('acme')).not.toBe(tenantHue('bistro'))
})
