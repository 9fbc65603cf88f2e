// What a model is told when the one before it broke off in the middle of the answer.

export function goOn(after: string): string {
  return (
    'Your last answer broke off in the middle. The person has heard it up to and including the words quoted below. Continue ' +
    'it with the very next word, in the same language and tone. Do not repeat any of it, do not greet, do not apologise and ' +
    `do not mention the interruption. If nothing is missing, write nothing at all. Heard so far: ${JSON.stringify(after)}`
  )
}
