import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { DropdownMenu } from 'radix-ui'
import { useState } from 'react'
import { inWords } from '../api/problem.ts'
import { useScope } from '../api/scope.tsx'
import { Icon } from '../ui/icon.tsx'
import { initials } from '../ui/initials.ts'
import { notifyFailed } from '../ui/notify.ts'
import { applyTheme, isTheme, rememberedTheme, themes } from './preferences.ts'

const looks = {
  system: { name: 'Like the system', icon: 'screen' },
  light: { name: 'Light', icon: 'sun' },
  dark: { name: 'Dark', icon: 'moon' },
} as const

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const { operator, whole } = useScope()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const signOut = useMutation({
    mutationFn: () => whole.signOut(),
    onSuccess: async () => {
      await navigate({ to: '/sign-in' })
      queries.clear()
    },
    onError: (error) => notifyFailed(inWords(error)),
  })
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="account">
        <span className="sr">Account</span>
        <span className="avatar" aria-hidden="true">
          {initials(operator.name)}
        </span>
        <span className="account-name">{operator.name}</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
          <DropdownMenu.Label className="menu-label">Appearance</DropdownMenu.Label>
          <ThemeChoice />
          <DropdownMenu.Separator className="menu-line" />
          <DropdownMenu.Item className="menu-item" onSelect={() => void navigate({ to: '/account' })}>
            <Icon name="user" />
            <span className="menu-grow">Your account</span>
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" onSelect={onHelp}>
            <Icon name="help" />
            <span className="menu-grow">Keyboard shortcuts</span>
            <kbd>?</kbd>
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" onSelect={() => signOut.mutate()}>
            <Icon name="exit" />
            <span className="menu-grow">Sign out</span>
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

function ThemeChoice() {
  const [theme, setTheme] = useState(rememberedTheme)
  const choose = (value: string) => {
    if (!isTheme(value)) return
    setTheme(value)
    applyTheme(value)
  }
  return (
    <DropdownMenu.RadioGroup value={theme} onValueChange={choose} aria-label="Appearance">
      {themes.map((one) => (
        <DropdownMenu.RadioItem
          key={one}
          value={one}
          className="menu-item"
          onSelect={(event) => event.preventDefault()}
        >
          <Icon name={looks[one].icon} />
          <span className="menu-grow">{looks[one].name}</span>
          <DropdownMenu.ItemIndicator className="menu-check">
            <Icon name="check" />
          </DropdownMenu.ItemIndicator>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  )
}
