import { expect, test } from 'vitest'
import { billOf, pieceLine, toolMeter } from './bill.ts'
import { planLimits } from './limits.ts'
import { creditUsdMicro, defaultModels, defaultPrices, markupPercent } from './prices.ts'

const of = (engine: string, model: string) => {
  const price = defaultPrices.find((each) => each.engine === engine && each.model === model)
  if (price === undefined) throw new Error('no such price')
  return { ...price, id: 'x' }
}
const flagship = of('openai-realtime', 'gpt-realtime-2.1')

test('[U2] the flagship costs what its price page says, in micro-dollars per million tokens', () => {
  expect(flagship.costUsdMicroPerMillion).toMatchObject({
    'input.text.tokens': 4_000_000,
    'input.cached.text.tokens': 400_000,
    'output.text.tokens': 24_000_000,
    'input.audio.tokens': 32_000_000,
    'input.cached.audio.tokens': 400_000,
    'output.audio.tokens': 64_000_000,
    'input.image.tokens': 5_000_000,
    'input.cached.image.tokens': 500_000,
  })
})

test('[U2] credits are the cost × 1.5 at 0.10 dollars a credit, for every meter of every known model', () => {
  for (const price of defaultPrices.filter(({ engine }) => engine === 'openai-realtime')) {
    const costs = price.costUsdMicroPerMillion ?? flagship.costUsdMicroPerMillion ?? {}
    expect(Object.keys(costs)).toHaveLength(11)
    for (const [meter, usdMicro] of Object.entries(costs)) {
      const paidUsdMicro = ((price.meterMicroPerMillion[meter] ?? 0) * creditUsdMicro) / 1_000_000
      expect(Math.abs(paidUsdMicro - (usdMicro * markupPercent) / 100)).toBeLessThanOrEqual(0.1)
    }
  }
  expect(flagship.meterMicroPerMillion['output.audio.tokens']).toBe(960_000_000)
})

test('[U2] Gemini costs what its price page says, has a price for each meter it can report, and no discount', () => {
  const gemini = of('gemini-live', 'gemini-3.8-live')
  expect(gemini.costUsdMicroPerMillion).toEqual({
    'input.text.tokens': 750_000,
    'input.cached.text.tokens': 750_000,
    'output.text.tokens': 4_500_000,
    'input.audio.tokens': 3_000_000,
    'input.cached.audio.tokens': 3_000_000,
    'output.audio.tokens': 12_000_000,
    'input.image.tokens': 1_000_000,
    'input.cached.image.tokens': 1_000_000,
  })
  expect(gemini.meterMicroPerMillion['output.audio.tokens']).toBe(180_000_000)
  const busy = { 'input.audio.tokens': 32 + 24_000 / 8, 'output.audio.tokens': 32 }
  expect(billOf(gemini, { seconds: 1, toolCalls: 0, meters: busy }).totalMicro).toBeLessThanOrEqual(
    gemini.holdSecondMicro,
  )
  expect(billOf(of('gemini-live', '*'), { seconds: 1, toolCalls: 0, meters: busy }).costUsdMicro).toBeNull()
})

test('[U2] a minute of talk on the flagship costs 1.5 to 3 credits', () => {
  const bill = billOf(flagship, {
    seconds: 60,
    toolCalls: 0,
    meters: { 'input.audio.tokens': 300, 'output.audio.tokens': 600, 'input.cached.audio.tokens': 20_000 },
  })
  expect(bill.totalMicro / 1_000_000).toBeGreaterThan(1)
  expect(bill.totalMicro / 1_000_000).toBeLessThan(3)
})

test('[U3] the demo costs nothing whatever it meters, an unknown model or engine costs nobody knows what', () => {
  const meters = {
    'output.text.tokens': 9,
    'output.audio.tokens': 9,
    'speech.characters': 9,
    'transcription.seconds': 9,
  }
  const used = { seconds: 2, toolCalls: 1, meters }
  expect(billOf(of('demo', '*'), used)).toMatchObject({ totalMicro: 200_000, costUsdMicro: 0 })
  expect(billOf(of('openai-realtime', '*'), used).costUsdMicro).toBeNull()
  expect(billOf(of('openai-realtime', '*'), used).totalMicro).toBeGreaterThan(0)
  expect(billOf(of('*', '*'), used).costUsdMicro).toBeNull()
})

test('[U2] a minute of GPT-Live costs 5 cents, and credits are that × 1.5; the work behind it is priced by its model', () => {
  const live = of('openai-live', 'gpt-live-1')
  const minute = billOf(live, { seconds: 60, toolCalls: 0, meters: { 'live.seconds': 60 } })
  expect(minute.costUsdMicro).toBe(50_000)
  const voice = minute.lines.find(({ meter }) => meter === 'live.seconds')
  expect(voice).toMatchObject({ quantity: 60, unit: 'second' })
  expect(Math.abs((voice?.amountMicro ?? 0) - 750_000)).toBeLessThanOrEqual(1)
  const work = {
    'work.gpt-realtime-2_1.input.text.tokens': 1_000_000,
    'work.gpt-realtime-2_1.input.cached.text.tokens': 1_000_000,
    'work.gpt-realtime-2_1.output.text.tokens': 1_000_000,
  }
  expect(billOf(live, { seconds: 0, toolCalls: 0, meters: work }).costUsdMicro).toBe(28_400_000)
})

test('[U3] work by a model nobody priced is charged like the flagship’s, and what it costs us is unknown', () => {
  const live = of('openai-live', 'gpt-live-1')
  const meters = { 'work.gpt-9.output.text.tokens': 1_000, 'live.seconds': 10 }
  const bill = billOf(live, { seconds: 10, toolCalls: 0, meters })
  expect(bill.costUsdMicro).toBeNull()
  expect(bill.lines.find(({ meter }) => meter === 'work.gpt-9.output.text.tokens')?.amountMicro).toBe(360_000)
  expect(billOf(live, { seconds: 1, toolCalls: 0, meters: { 'work.demo.output.text.tokens': 9 } }).costUsdMicro).toBe(0)
  expect(billOf(of('openai-live', '*'), { seconds: 1, toolCalls: 0, meters }).costUsdMicro).toBeNull()
})

test('[U9] a busy second of GPT-Live is covered by its hold', () => {
  const live = of('openai-live', 'gpt-live-1')
  const work = { 'work.gpt-realtime-2_1.input.text.tokens': 400, 'work.gpt-realtime-2_1.output.text.tokens': 20 }
  const busy = billOf(live, { seconds: 1, toolCalls: 0, meters: { 'live.seconds': 1, ...work } })
  expect(busy.totalMicro).toBeLessThanOrEqual(live.holdSecondMicro)
})

test('[U9] a second of hold covers a busy second, and every default model has a row', () => {
  for (const price of defaultPrices) expect(price.holdSecondMicro).toBeGreaterThanOrEqual(price.secondMicro)
  const busy = billOf(flagship, {
    seconds: 1,
    toolCalls: 0,
    meters: { 'input.audio.tokens': 10, 'output.audio.tokens': 20, 'input.cached.text.tokens': 64_000 / 6 },
  })
  expect(busy.totalMicro).toBeLessThanOrEqual(flagship.holdSecondMicro)
  for (const [engine, model] of Object.entries(defaultModels)) of(engine, model)
})

test('[U9] a second of hold covers a busy second of a cascade; its cost is unknown until the operator prices it', () => {
  const price = of('cascade', '*')
  const meters = {
    'input.text.tokens': 2_000,
    'output.text.tokens': 40,
    'speech.characters': 15,
    'transcription.seconds': 1,
  }
  const busy = billOf(price, { seconds: 1, toolCalls: 0, meters })
  expect(busy.totalMicro).toBe(5_000 + 30_000 + 3_000 + 3_375 + 4_249)
  expect(busy.totalMicro).toBeLessThanOrEqual(price.holdSecondMicro)
  expect(busy.costUsdMicro).toBeNull()
})

test('[U3] a call whose usage was never told makes the cost unknown, and is charged to nobody', () => {
  const priced = { ...of('cascade', '*'), costUsdMicroPerMillion: { 'output.text.tokens': 5_000_000 } }
  const told = { seconds: 1, toolCalls: 0, meters: { 'output.text.tokens': 10 } }
  expect(billOf(priced, told).costUsdMicro).toBe(50)
  const untold = { ...told, meters: { ...told.meters, 'unknown.usages': 1 } }
  expect(billOf(priced, untold).costUsdMicro).toBeNull()
  expect(billOf(priced, untold).totalMicro).toBe(billOf(priced, told).totalMicro)
})

test('[U2] pieces cost what the table says, a tool nobody priced one credit, reading nothing', () => {
  const table: readonly (readonly [string, number])[] = [
    ['agent.simple.messages', 1],
    ['agent.complex.messages', 3],
    [toolMeter('create_contact'), 1],
    [toolMeter('send_email'), 1],
    [toolMeter('send_ai_email'), 2],
    [toolMeter('trigger_workflow'), 1],
    [toolMeter('create_checkout'), 1],
    [toolMeter('query_org_data'), 0],
    [toolMeter('search_contacts'), 0],
    ['builder.generation.calls', 0],
    [toolMeter('launch_rocket'), 1],
    [toolMeter('Find*Ünïcode'), 1],
  ]
  const actions = of('actions', '*')
  for (const [meter, credits] of table)
    expect([meter, pieceLine(actions, meter).amountMicro]).toEqual([meter, credits * 1_000_000])
  expect(pieceLine(actions, 'tool.calls').amountMicro).toBe(0)
})

test('plans: free 30 a minute with 60 at once and 1,000 a day, pro twice that, agency ten times, enterprise unlimited', () => {
  expect(planLimits.free.rate).toEqual({ perMinute: 30, burst: 60, perDay: 1_000 })
  expect(planLimits.pro.rate).toEqual({ perMinute: 60, burst: 120, perDay: 5_000 })
  expect(planLimits.agency.rate).toEqual({ perMinute: 300, burst: 600, perDay: 100_000 })
  expect(planLimits.enterprise.rate).toBeNull()
  expect(Object.values(planLimits).map(({ sessions }) => sessions)).toEqual([5, 50, 100, 200])
})
