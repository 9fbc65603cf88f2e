import { expect, test } from 'vitest'
import { Mind, type Thought } from './mind.ts'

const tool = (name: string, description: string) => ({ name, description, parameters: { type: 'object' } })
const search = {
  ...tool('search_products', 'Finds furniture.'),
  parameters: { properties: { query: { type: 'string' } } },
}
const tools = [search, tool('show_order_form', 'Shows an order form.'), tool('place_order', 'Places the order.')]
const nothing = { search: async () => [] }
const form = { form: 'order_form-1', product: { name: 'Alba', inStock: true }, quantity: 2, total: '$998.00' }

function talk(with_ = tools) {
  const mind = new Mind('ten_a', nothing, with_)
  return {
    hear: (text: string): Promise<Thought> => mind.think([{ kind: 'text', text }]),
    told: async (result: object) => {
      const thought = await mind.think([{ kind: 'result', question: '', output: JSON.stringify(result) }])
      return thought.do === 'say' ? thought.text : ''
    },
  }
}

test('[S002-19] the demo takes an order by word of mouth: it fills the form, asks for what is missing, and places it on a yes', async () => {
  const { hear, told } = talk()
  const shows = (args: object) => ({ do: 'call', tool: 'show_order_form', args })
  expect(await hear('i want to order two of the red sofa')).toMatchObject(shows({ product: 'red sofa', quantity: 2 }))
  expect(await told({ ...form, missing: ['name', 'email', 'address'] })).toContain('$998.00. What is your name?')
  expect(await hear('my name is ada lovelace')).toMatchObject(shows({ name: 'Ada Lovelace' }))
  expect(await hear("My name is Ann-Marie O'Neil")).toMatchObject(shows({ name: "Ann-Marie O'Neil" }))
  const both = shows({ name: 'Ann Lee', email: 'ann@example.com' })
  expect(await hear('My name is Ann Lee and my email is ann@example.com')).toMatchObject(both)
  expect(await hear('my name is ann lee, my email is ann@example.com')).toMatchObject(both)
  expect(await told({ ...form, missing: ['email', 'address'] })).toContain('e-mail')
  expect(await hear('ada at example dot com')).toMatchObject(shows({ email: 'ada@example.com' }))
  expect(await told({ ...form, missing: ['address'] })).toContain('deliver')
  expect(await hear('one mill street')).toMatchObject(shows({ address: 'one mill street' }))
  const whole = { ...form, name: 'Ada Lovelace', address: 'one mill street', missing: [] }
  expect(await told(whole)).toContain('Shall I place the order?')
  expect(await hear('make it 3 please')).toMatchObject(shows({ quantity: 3 }))
  await told(whole)
  expect(await hear('yes please')).toMatchObject({ do: 'call', tool: 'place_order', args: {} })
  expect(await told({ ...whole, order: 'O-1', placed: true })).toContain('Your order O-1 is placed')
  // Said once more, it is no order any more.
  expect((await hear('yes please')).do).toBe('say')
})

test('[S002-19] a question in between is answered, a no ends it, and who has no such tools orders nothing', async () => {
  const { hear, told } = talk()
  await hear('I would like to buy the red sofa')
  await told({ ...form, missing: ['name', 'email', 'address'] })
  expect(await hear('How long does delivery take?')).not.toMatchObject({ tool: 'show_order_form' })
  expect(await hear('Ada Lovelace')).toMatchObject({ tool: 'show_order_form', args: { name: 'Ada Lovelace' } })
  expect((await hear('no')).do).toBe('say')
  expect((await hear('Ada')).do).toBe('say')
  expect(await talk([search]).hear('I want to order two of the red sofa')).not.toMatchObject({
    tool: 'show_order_form',
  })
})

test('[S002-19] what was sent from a form or a card is understood without a word more', async () => {
  const { hear } = talk()
  const result = { ...form, order: 'O-2' }
  const sent = (json: object) => hear(`Alba: 2, Ada\n\n${JSON.stringify(json)}`)
  expect(await sent({ sentFrom: 'order_form', id: 'order_form-1', values: {}, result })).toMatchObject({
    do: 'say',
    text: expect.stringContaining('O-2'),
  })
  expect(await sent({ sentFrom: 'product_cards', id: 'a', values: { product: 'alba' } })).toMatchObject({
    tool: 'show_order_form',
    args: { product: 'alba' },
  })
})
