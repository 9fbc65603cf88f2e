import type { Channel } from '../../../../gateway/protocol/turn.ts'
import { SwitchField } from '../../../ui/choice-fields.tsx'
import { FieldGroup } from '../../../ui/field.tsx'
import { channelNames } from '../../../ui/words.ts'
import { FormSection } from './form-section.tsx'
import type { Draft } from './use-draft.ts'

const notes: Readonly<Record<Channel, string>> = {
  widget: 'On your websites, in writing and aloud',
  console: 'Here, when you try it',
  voice: 'Over the telephone',
  api: 'From your own servers',
  whatsapp: 'Meta’s Cloud API or a provider',
  sms: 'Text messages',
  email: 'Inbound e-mail',
  instagram: 'Direct messages',
  facebook_messenger: 'Messages to your page',
  webchat: 'A chat provider’s own window',
  telegram: 'A bot',
  pushover: 'Notifications to your team',
}
const channels = Object.keys(notes).filter((name): name is Channel => name in notes)

/** A channel that nobody decided about is answered; the first touch of a switch writes the decision down. */
export function Channels({ draft }: { draft: Draft }) {
  const { config, set, issue } = draft
  const bindings = config.channelBindings
  const turn = (channel: Channel, enabled: boolean) => {
    const known = bindings.some((binding) => binding.channel === channel)
    set(
      'channelBindings',
      known
        ? bindings.map((binding) => (binding.channel === channel ? { ...binding, enabled } : binding))
        : [...bindings, { channel, enabled }],
    )
  }
  return (
    <FormSection id="channels" note="Where it answers.">
      <FieldGroup
        id="channelBindings"
        label="Channels"
        hint="A channel also needs its connection to be set up for the tenant; switched off here, the agent stays silent on it."
        issue={issue('channelBindings', true)}
      >
        <div className="channel-list">
          {channels.map((channel) => (
            <SwitchField
              key={channel}
              id={`channel-${channel}`}
              label={channelNames[channel]}
              hint={notes[channel]}
              checked={bindings.find((binding) => binding.channel === channel)?.enabled ?? true}
              onChange={(enabled) => turn(channel, enabled)}
            />
          ))}
        </div>
      </FieldGroup>
    </FormSection>
  )
}
