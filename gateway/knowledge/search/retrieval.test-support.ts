// A small labelled set: passages of several businesses, and questions with the passage that answers each. Written before
// anything was measured with it. `held` ones were never looked at while weights were chosen.

export interface Passage {
  readonly id: string
  readonly title: string
  readonly text: string
}

export const passages: readonly Passage[] = (
  [
    ['arrival', 'Check-in', 'Rooms are ready from 15:00. If you get here earlier, leave your suitcases with us.'],
    ['leaving', 'Check-out', 'Please vacate the room by 11:00. A later departure costs 20 dollars an hour.'],
    ['pets', 'Animals', 'Dogs and cats are welcome for 15 dollars per night. They may not enter the dining area.'],
    ['wifi', 'Internet', 'Wireless internet is free in the whole building. The password is on your key card.'],
    [
      'parking',
      'Garage',
      'The underground garage has 40 spaces; a night costs 18 dollars. Electric vehicles can charge there.',
    ],
    ['breakfast', 'Breakfast', 'The buffet is served from 7:00 to 10:30 on the ground floor and costs 16 dollars.'],
    ['pool', 'Swimming', 'The indoor pool and the sauna are open until 22:00. Towels are at the entrance.'],
    ['gym', 'Fitness room', 'Treadmills and weights can be used around the clock with the key card.'],
    ['cancelstay', 'Cancelling a stay', 'Reservations can be cancelled without charge until 18:00 of the day before.'],
    [
      'family',
      'Families',
      'A cot and a high chair are provided at no cost. Under twelve years nobody pays for the bed.',
    ],
    ['quiet', 'Night hours', 'From 22:00 to 7:00 we ask for quiet. Parties in rooms are not permitted.'],
    ['smoke', 'Smoking', 'All rooms are smoke-free. There is a terrace with ashtrays on the second floor.'],
    ['shuttle', 'Airport transfer', 'A minibus takes guests to the terminal every hour for 12 dollars.'],
    ['lost', 'Lost and found', 'Forgotten belongings are kept for three months at the reception.'],
    ['wedding', 'Celebrations', 'The hall seats 120 people for weddings and anniversaries, music included.'],
    ['access', 'Without steps', 'Four rooms are built for wheelchair users; the lift reaches every floor.'],
    [
      'return',
      'Returns',
      'Goods may be sent back within 30 days, unused and in their box. The money is paid back in a week.',
    ],
    [
      'delivery',
      'Delivery',
      'Parcels arrive in three to five working days. Sofas are brought by a carrier who calls you first.',
    ],
    ['warranty', 'Warranty', 'Frames are covered for ten years and fabrics for two. Damage by misuse is excluded.'],
    [
      'assemble',
      'Assembly',
      'Most pieces come flat-packed with a manual. For 60 dollars a fitter puts them together at your home.',
    ],
    ['damaged', 'Damaged on arrival', 'Send a photo of the defect within 48 hours and we ship a replacement.'],
    [
      'payment',
      'Ways to pay',
      'We take Visa, Mastercard, PayPal and bank transfer. Cash is possible in the showroom only.',
    ],
    [
      'instalments',
      'Paying in parts',
      'From 300 dollars on the price can be split over twelve months without interest.',
    ],
    ['voucher', 'Gift cards', 'Vouchers from 20 dollars are sent by mail and never expire.'],
    [
      'samples',
      'Fabric samples',
      'Up to five swatches of cloth are mailed free of charge so that you can compare colours.',
    ],
    [
      'clean',
      'Caring for upholstery',
      'Vacuum weekly; remove stains with lukewarm water and mild soap, never with bleach.',
    ],
    ['oak', 'Wood', 'Our oak comes from certified forests in Poland and is oiled, not lacquered.'],
    ['trade', 'For companies', 'Architects and offices get 15 percent off and a monthly invoice.'],
    ['outlet', 'Outlet', 'Display models and discontinued lines are sold at half price in the warehouse.'],
    ['tracking', 'Following a parcel', 'The link in the confirmation mail shows where your package is.'],
    [
      'address',
      'Changing the address',
      'Until an order leaves the warehouse its destination can be edited in your account.',
    ],
    ['jobs', 'Careers', 'Open positions are on the board. We hire carpenters and drivers, no degree needed.'],
    ['dentistpain', 'Emergencies', 'With acute toothache you are seen on the same day; call before nine.'],
    ['cleaning', 'Prophylaxis', 'A hygienist removes plaque and polishes the teeth; insurers pay for it once a year.'],
    ['xray', 'Imaging', 'Radiographs are only taken when needed and sent to your physician on request.'],
    ['anaesthesia', 'Anaesthesia', 'Fearful patients can be put under sedation. Do not drive a car that day.'],
    ['newpatient', 'First appointment', 'Bring your insurance card and a list of your medication. Allow 45 minutes.'],
    ['missed', 'Missed appointments', 'Whoever does not show up is billed 40 dollars.'],
    ['braces', 'Orthodontics', 'Crooked teeth of adults are straightened with transparent aligners in about a year.'],
    ['kidsdentist', 'Children', 'We see little ones from the first milk tooth on; there is a play corner.'],
    ['password', 'Signing in', 'Use “Forgot password” on the login page; the link is valid for one hour.'],
    ['twofactor', 'Second factor', 'An authenticator app or a security key protects your account from theft.'],
    ['invoice', 'Bills', 'Every first of the month the bill is mailed; earlier ones are in the settings.'],
    [
      'upgrade',
      'Changing the plan',
      'Moving to a larger plan takes effect at once and the difference is charged pro rata.',
    ],
    ['quit', 'Ending the subscription', 'You can terminate any time; access goes on until the end of the paid month.'],
    ['export', 'Taking your data', 'All records can be downloaded as CSV or JSON from the settings.'],
    ['delete', 'Erasing the account', 'Personal information is wiped within 30 days after the account was closed.'],
    ['uptime', 'Availability', 'We promise 99.9 percent. Outages are announced on the status page.'],
    ['api', 'Programming interface', 'Developers get keys under Integrations; 600 calls a minute are allowed.'],
    ['seats', 'Team members', 'Colleagues are invited by e-mail; each costs nine dollars a month.'],
    ['support', 'Reaching us', 'Our agents answer by chat on weekdays from 9:00 to 18:00, in urgent cases by phone.'],
    ['servers', 'Where data lives', 'Everything is stored in Frankfurt, encrypted, with nightly backups.'],
    [
      'vegan',
      'Without animal products',
      'Six dishes on the menu contain neither meat nor milk; ask for the green card.',
    ],
    ['allergy', 'Intolerances', 'Tell the waiter about nuts, gluten or shellfish and the kitchen adapts your meal.'],
    ['wine', 'Drinks', 'The cellar holds 200 bottles, mostly from Portugal; corkage is ten dollars.'],
    ['table', 'Reserving a table', 'For six or more please call two days ahead. The patio cannot be booked.'],
    ['takeaway', 'Meals to go', 'Order until 21:00 and pick your food up at the side door after 25 minutes.'],
    ['dress', 'What to wear', 'There is no dress code, but swimwear and bare feet are not allowed.'],
    ['tickets', 'Admission', 'A day pass is 90 dollars, students pay half with a valid card.'],
    ['speakers', 'Giving a talk', 'Proposals are open until March. Travel of presenters is reimbursed.'],
  ] as const
).map(([id, title, text]) => ({ id, title, text }))

export interface Question {
  readonly text: string
  /** Of the passage that answers it. */
  readonly answer: string
  readonly is: 'paraphrase' | 'typo' | 'words'
  readonly held: boolean
}

const asked = (is: Question['is'], held: boolean, list: readonly (readonly [string, string])[]): Question[] =>
  list.map(([text, answer]) => ({ text, answer, is, held }))

export const questions: readonly Question[] = [
  ...asked('paraphrase', false, [
    ['may I bring my puppy', 'pets'],
    ['where can I put my car overnight', 'parking'],
    ['can I store my luggage before the room is free', 'arrival'],
    ['how do I get to my plane', 'shuttle'],
    ['I left my umbrella behind', 'lost'],
    ['is there somewhere to lift and run', 'gym'],
    ['what time is the morning meal', 'breakfast'],
    ['is the place suitable for disabled visitors', 'access'],
    ['I want a refund for the chair', 'return'],
    ['how long does shipping take', 'delivery'],
    ['the table came broken', 'damaged'],
    ['do you accept credit cards', 'payment'],
    ['can somebody build the wardrobe for me', 'assemble'],
    ['how do I get wine spots out of the couch', 'clean'],
    ['where is my order', 'tracking'],
    ['are there discounts for businesses', 'trade'],
    ['I am afraid of the drill', 'anaesthesia'],
    ['my molar hurts badly', 'dentistpain'],
    ['what documents do I need for my first visit', 'newpatient'],
    ['I want to stop paying for the service', 'quit'],
    ['how do I add a coworker', 'seats'],
    ['which country is our information kept in', 'servers'],
    ['something without dairy please', 'vegan'],
    ['I cannot eat peanuts', 'allergy'],
    ['can we collect dinner and eat at home', 'takeaway'],
    ['how much is entry for undergraduates', 'tickets'],
  ]),
  ...asked('typo', false, [
    ['brekfast hours', 'breakfast'],
    ['wireles pasword', 'wifi'],
    ['waranty of the frame', 'warranty'],
    ['vaucher expiry', 'voucher'],
    ['airoprt transfer', 'shuttle'],
    ['orthodntics for adults', 'braces'],
  ]),
  ...asked('words', false, [
    ['gift cards', 'voucher'],
    ['swimming pool', 'pool'],
    ['security key', 'twofactor'],
    ['corkage', 'wine'],
  ]),
  ...asked('paraphrase', true, [
    ['how late can I stay on the last morning', 'leaving'],
    ['do you have a crib for our baby', 'family'],
    ['are cigarettes allowed inside', 'smoke'],
    ['we would like to marry at your hotel', 'wedding'],
    ['is it possible to swim in the evening', 'pool'],
    ['can I call off my booking for free', 'cancelstay'],
    ['is loud music fine late in the evening', 'quiet'],
    ['can I pay monthly', 'instalments'],
    ['where does the timber come from', 'oak'],
    ['could I see the material before buying', 'samples'],
    ['are there cheaper pieces with small flaws', 'outlet'],
    ['I moved, please send it to my new house', 'address'],
    ['are you looking for employees', 'jobs'],
    ['how long is furniture guaranteed', 'warranty'],
    ['I need a present for a friend', 'voucher'],
    ['can you straighten my smile', 'braces'],
    ['my daughter is three, do you treat her', 'kidsdentist'],
    ['what happens if I forget my appointment', 'missed'],
    ['how often does insurance pay for polishing', 'cleaning'],
    ['I cannot log in any more', 'password'],
    ['how can I protect my login from hackers', 'twofactor'],
    ['can I download everything', 'export'],
    ['remove all my private data', 'delete'],
    ['is the system down', 'uptime'],
    ['I need a bigger package', 'upgrade'],
    ['can I talk to a human', 'support'],
    ['where do I find old receipts', 'invoice'],
    ['do I have to put on a suit', 'dress'],
    ['we are a group of eight for supper', 'table'],
    ['I would like to present my research', 'speakers'],
    ['which alcohol do you serve', 'wine'],
    ['how fast may my script send requests', 'api'],
  ]),
  ...asked('typo', true, [
    ['instalmnts without intrest', 'instalments'],
    ['weelchair rooms', 'access'],
    ['autenticator app', 'twofactor'],
    ['glutten free', 'allergy'],
    ['upholstry stains', 'clean'],
    ['cancle a reservtion', 'cancelstay'],
    ['discontinud lines', 'outlet'],
    ['sedaton', 'anaesthesia'],
  ]),
  ...asked('words', true, [
    ['day pass', 'tickets'],
    ['sauna', 'pool'],
    ['status page', 'uptime'],
    ['swatches', 'samples'],
  ]),
]
