import { expect, test } from 'vitest'
import { answersTo, type FormField } from './answers.ts'

const field = (name: string, type: FormField['type'], own: Partial<FormField> = {}): FormField => ({
  ...{ name, type, required: false },
  ...own,
})
const fields = [
  field('name', 'text', { required: true }),
  field('mail', 'email'),
  field('phone', 'phone'),
  field('people', 'number'),
  field('veg', 'boolean'),
  field('on', 'date'),
  field('size', 'choice', { choices: ['Small', 'Large'] }),
]

test('[S000-26] what clearly means a number, a date, yes or one of the choices is taken for it', () => {
  const given = {
    name: ' Ann ',
    mail: 'a@b.co',
    phone: '+49 170 123',
    people: '4',
    veg: 'Yes',
    on: '2027-05-01',
    size: 'large',
  }
  expect(answersTo(fields, given)).toEqual({
    is: 'fit',
    values: {
      name: 'Ann',
      mail: 'a@b.co',
      phone: '+49 170 123',
      people: 4,
      veg: true,
      on: '2027-05-01',
      size: 'Large',
    },
  })
})

test('[S000-26] what is missing, unknown or of another kind is told by its field', () => {
  const given = { mail: 'nobody', people: 'many', veg: 'maybe', on: '1 May', size: 'huge', phone: 'call me', extra: 1 }
  const answers = answersTo(fields, given)
  const paths = answers.is === 'unfit' ? answers.issues.map((each) => each.path) : []
  expect(paths.toSorted()).toEqual(
    ['extra', 'mail', 'name', 'on', 'people', 'phone', 'size', 'veg'].map((each) => `values.${each}`),
  )
  expect(answersTo(fields, { name: '  ', __proto__: 1 }).is).toBe('unfit')
  expect(answersTo([field('n', 'number')], { n: 'NaN' }).is).toBe('unfit')
})
