// Demo data: what each demo tenant's customers ask, and the answers. Invented.

import type { KnowledgeDocument } from '../knowledge/knowledge.ts'

type Answer = readonly [question: string, answer: string]

const cypress: readonly Answer[] = [
  [
    'What are your opening hours?',
    'Cypress House is open every day. The front desk is there from 7:00 to 23:00; guests with a room key come in at any time.',
  ],
  [
    'When is check-in and check-out?',
    'Check-in is from 15:00, check-out until 11:00. Late check-out until 14:00 costs 25 dollars when the room is free.',
  ],
  [
    'Where are you located?',
    'Cypress House is at 12 Cypress Lane, two minutes on foot from the old harbour and ten from the central station.',
  ],
  [
    'Is there parking?',
    'We have 18 parking spaces behind the house for 14 dollars a night, two of them with chargers for electric cars. Please reserve.',
  ],
  [
    'Is breakfast included?',
    'Breakfast is included in every room rate. It is served from 7:00 to 10:30, on Sundays until noon, with vegan and gluten-free choices.',
  ],
  [
    'Do you allow pets?',
    'Dogs and cats are welcome in the garden rooms for 15 dollars a night. They may not come into the breakfast room.',
  ],
  [
    'How can I cancel a booking?',
    'Bookings can be cancelled free of charge until 18:00 two days before arrival. Later than that we charge the first night.',
  ],
  [
    'Is there a pool or spa?',
    'There is a heated pool in the garden from May to September, and a small sauna all year, both open from 8:00 to 21:00.',
  ],
  [
    'How much is a room?',
    'Garden rooms start at 129 dollars, harbour rooms at 169 and the family suite at 239 dollars a night, breakfast included.',
  ],
  [
    'Can I book a table at the restaurant?',
    'The restaurant serves dinner from 18:00 to 22:00, Tuesday to Sunday. Tables for up to eight can be booked; larger parties by phone.',
  ],
  [
    'Do you host weddings and events?',
    'The winter garden seats 60 for weddings and 90 for talks. Hire starts at 900 dollars a day, with our own kitchen.',
  ],
  [
    'Is there wireless internet?',
    'Wireless internet is free in the whole house and the garden. The password is on your key card.',
  ],
  [
    'Is the house accessible?',
    'The ground floor, the restaurant and two garden rooms are step-free with wide doors and roll-in showers. There is a lift to all floors.',
  ],
  [
    'Which payments do you take?',
    'We take cards, bank transfer and cash. The room is paid on arrival; a deposit of one night is taken for more than three rooms.',
  ],
]

const productco: readonly Answer[] = [
  [
    'How long does delivery take?',
    'Items in stock arrive within 3 to 5 working days; sofas and beds within 10, because two people bring them to the room you choose.',
  ],
  [
    'How much is delivery?',
    'Delivery is free from 200 dollars. Below that it costs 9 dollars for parcels and 39 dollars for furniture.',
  ],
  [
    'Can I return a product?',
    'You may return anything unused within 60 days. We collect furniture for 39 dollars; parcels go back free of charge.',
  ],
  [
    'What warranty do I get?',
    'All furniture has a warranty of five years, frames of sofas and beds of ten. Wear of covers is not included.',
  ],
  [
    'Do you assemble furniture?',
    'Assembly can be added at checkout: 49 dollars for the first piece and 19 for each further one. Our team takes the packaging away.',
  ],
  ['Can I get fabric samples?', 'Up to five fabric samples are free and arrive within three days.'],
  ['Where is your showroom?', 'Our showroom is at 210 Mill Street and open Monday to Saturday from 10:00 to 19:00.'],
  [
    'Which payments do you accept?',
    'We accept all cards, bank transfer, and instalments over 6 or 12 months without interest from 300 dollars.',
  ],
  [
    'Can I change or cancel my order?',
    'Orders can be changed or cancelled free of charge until they leave the warehouse, usually one day before delivery.',
  ],
  [
    'How do I clean a fabric sofa?',
    'Covers of the Alba family can be washed at 30 degrees. For all others use a damp cloth with mild soap and let it dry in the air.',
  ],
  [
    'Do you take old furniture away?',
    'We take one old piece away for each new one for 29 dollars and give what is good to a local charity.',
  ],
  [
    'Is your wood certified?',
    'All oak, birch and pine comes from certified forests; the certificate number is on the label below each piece.',
  ],
  [
    'Do you give discounts to companies?',
    'Companies get 8 percent from 2,000 dollars and a contact person of their own.',
  ],
]

const eventco: readonly Answer[] = [
  [
    'How much are the tickets?',
    'Early bird tickets cost 290 euros until 31 January 2027, then 390 euros. Students pay 90 euros, day tickets are 220 euros.',
  ],
  [
    'Can I get a refund for my ticket?',
    'Tickets can be returned until 18 February 2027 for the full price; after that you can give them to someone else free of charge.',
  ],
  [
    'How do I get to the venue?',
    'Harbour Hall is at Pier 4 in Hamburg. Take the underground to Baumwall and walk for five minutes along the water.',
  ],
  [
    'Which hotels are nearby?',
    'The Pier Hotel and the Old Customs House are within ten minutes on foot; the code VOICES27 takes 15 percent off both.',
  ],
  [
    'Is food included?',
    'Lunch, coffee and fruit are included on both days. Tell us about allergies when you register; vegan food is the default.',
  ],
  [
    'Will talks be recorded?',
    'All talks on the Main and Engineering tracks are recorded and published within three weeks. Workshops are not.',
  ],
  ['In which language are the talks?', 'All talks are in English, with live captions in English and German.'],
  [
    'Is the venue accessible?',
    'All rooms are step-free, with reserved seats in the front, an induction loop in the Great Hall and a quiet room.',
  ],
  [
    'Is there a code of conduct?',
    'Yes: be kind, ask before you photograph people, and find anyone with a yellow badge if something is wrong.',
  ],
  ['When can I register on site?', 'The registration desk opens at 8:00 on both days and stays open until 17:00.'],
  [
    'Is there an evening event?',
    'On 18 March from 18:30 there is a harbour cruise with dinner; it is included for the first 200 who sign up at the desk.',
  ],
  [
    'How can my company sponsor?',
    'Sponsor packages begin at 3,000 euros. Write to partners@voices.example and we answer within two days.',
  ],
  [
    'Do you offer childcare?',
    'Free childcare for ages two to ten is in the building from 8:30 to 17:30; please sign up by 1 March 2027.',
  ],
]

function documents(answers: readonly Answer[]): readonly KnowledgeDocument[] {
  return answers.map(([title, text], position) => ({
    key: `faq-${String(position + 1).padStart(2, '0')}`,
    kind: 'faq',
    title,
    text,
  }))
}

export const answers = {
  cypress: documents(cypress),
  productco: documents(productco),
  eventco: documents(eventco),
} as const
