import { FieldNote } from '../../ui/field.tsx'
import { roleName, roleNote } from './role-names.ts'

interface RolePickerProps {
  readonly roles: readonly { readonly name: string; readonly note?: string | undefined }[]
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
  readonly issue?: string | undefined
}

export function RolePicker({ roles, chosen, onChange, issue }: RolePickerProps) {
  return (
    <fieldset className="form-group" aria-describedby="roles-note">
      <legend>Roles</legend>
      <div className="role-list">
        {roles.map(({ name, note }) => (
          <label key={name} className="radio-card">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) =>
                onChange(event.target.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
              }
            />
            <span>
              <strong>{roleName(name)}</strong>
              <small>{note ?? roleNote(name)}</small>
            </span>
          </label>
        ))}
      </div>
      <FieldNote id="roles" hint="Several add up; what one of them denies is denied." issue={issue} />
    </fieldset>
  )
}
