// What to ask the demo tenants, by slug. A tenant without hints gets the general ones.

export const hints: Readonly<Record<string, readonly string[]>> = {
  productco: [
    'Do you have a red sofa under 500?',
    'What is your cheapest lamp?',
    'How many chairs do you have?',
    'I want to order two of the red sofa',
    'How long does delivery take?',
  ],
  cypress: ['When is check-in?', 'Is breakfast included?', 'Do you allow pets?', 'How much is a harbour room?'],
  eventco: ['Who speaks at 10?', 'How much are the tickets?', 'Where is the venue?', 'What is on in the afternoon?'],
}

export const anyHints: readonly string[] = ['What can you help me with?', 'What are your opening hours?']
