// What a schema says about a value, as people say it. What is not known is told as it came.

const rules: readonly (readonly [RegExp, (amount: string) => string])[] = [
  [/^Too small: expected string to have >=1 characters/, () => 'This may not be empty.'],
  [/^Too small: expected string to have >=(\d+)/, (amount) => `At least ${amount} characters, please.`],
  [/^Too big: expected string to have <=(\d+)/, (amount) => `At most ${grouped(amount)} characters, please.`],
  [
    /^Too (?:small|big): expected array to have [<>]=(\d+)/,
    (amount) => `${grouped(amount)} entries are the limit here.`,
  ],
  [/^Too small: expected \w+ to be >=?(-?[\d.]+)/, (amount) => `At least ${grouped(amount)}, please.`],
  [/^Too big: expected \w+ to be <=?(-?[\d.]+)/, (amount) => `At most ${grouped(amount)}, please.`],
  [/^Invalid string: must match pattern/, () => 'This is not in the form that is expected here.'],
  [/^Invalid email/, () => 'This is not an e-mail address.'],
  [/^Invalid input: expected int/, () => 'A whole number, please.'],
]

export function issueText(message: string): string {
  for (const [pattern, text] of rules) {
    const match = pattern.exec(message)
    if (match !== null) return text(match[1] ?? '')
  }
  return message
}

function grouped(amount: string): string {
  return Number(amount).toLocaleString('en')
}
