import { useScope } from '../../api/scope.tsx'
import { Page } from '../../ui/page.tsx'
import { Passkeys } from './passkeys.tsx'
import { Password } from './password.tsx'
import { SecondFactor } from './second-factor.tsx'
import { Sessions } from './sessions.tsx'
import './account.css'

/** Ways in of whoever is signed in; the same in every tenant. */
export function Account() {
  const { operator } = useScope()
  return (
    <Page title="Your account" name="Your account" aside={<span className="quiet">{operator.name}</span>}>
      <Password />
      <SecondFactor />
      <Passkeys />
      <Sessions />
    </Page>
  )
}
