// Demo data: the three demo tenants, their agents and tools. Invented.

import type { AgentConfigInput, AgentSubtype } from '../agents/agents.ts'
import type { EntityInput, EntityType } from '../entities/entities.ts'
import type { KnowledgeDocument } from '../knowledge/knowledge.ts'
import type { NewTenant } from '../tenants/tenants.ts'
import type { NewTool } from '../tools/tools.ts'
import { answers } from './answers.ts'
import { conference, conferenceSlug, sessions, speakers } from './conference.ts'
import { productTools } from './product-tools.ts'
import { products } from './products.ts'

type Records = { readonly [T in EntityType]?: readonly { readonly slug: string; readonly data: EntityInput<T> }[] }

export interface DemoTenant {
  readonly tenant: Omit<NewTenant, 'slug'> & { readonly slug: string }
  readonly agent: {
    readonly slug: string
    readonly name: string
    readonly subtype: AgentSubtype
    readonly config: AgentConfigInput
  }
  readonly siteKey: string
  readonly tools: readonly NewTool[]
  readonly answers: readonly KnowledgeDocument[]
  readonly records: Records
}

export const sharedPrompt = {
  name: 'Parley base',
  base: [
    'You are a friendly agent who speaks and writes for a business. Answer in the language of the person, in one to three',
    'short sentences that sound natural when spoken. Use a tool whenever a fact could be looked up, and never invent prices,',
    'times, names or promises. If you do not know, say so and offer to pass the question on.',
  ].join(' '),
}

const lookUp = (what: string): NewTool => ({
  name: 'search_knowledge',
  kind: 'knowledge.search',
  description: `Looks up ${what}.`,
})

const consent = 'You are talking to an AI agent. The conversation is recorded and stored.'

export const demoTenants: readonly DemoTenant[] = [
  {
    tenant: {
      slug: 'cypress',
      name: 'Cypress House',
      plan: 'pro',
      brand: { accent: '#2f6f5e', title: 'Cypress House' },
      texts: {
        greeting: 'Welcome to Cypress House! Ask me about rooms, breakfast or the restaurant.',
        placeholder: 'Ask about your stay',
        consent,
        suggestions: ['When is check-in?', 'Is breakfast included?', 'Do you allow pets?'],
      },
    },
    agent: {
      slug: 'cypress',
      name: 'Cypress Concierge',
      subtype: 'booking_agent',
      config: {
        library: true,
        voice: 'marin',
        systemPrompt:
          'You are the concierge of Cypress House, a small hotel with a restaurant by the old harbour. Look facts up with search_knowledge.',
        personality: 'Calm and attentive, like the desk of a good small hotel. Never hurried.',
        brandVoiceInstructions: 'Say "the house", not "the hotel". Call people guests, never customers.',
        faqEntries: [
          {
            question: 'Is somebody at the desk at night?',
            answer: 'The desk is closed from 23:00 to 6:30; guests have a code for the door.',
          },
        ],
        blockedTopics: ['other guests'],
        greeting: 'Hello, this is Cypress House. How can I help you?',
        enabledTools: ['search_knowledge'],
      },
    },
    siteKey: 'pk_demo_cypress',
    tools: [lookUp('opening hours, rooms, prices, the restaurant and the rules of the house')],
    answers: answers.cypress,
    records: {},
  },
  {
    tenant: {
      slug: 'productco',
      name: 'ProductCo',
      plan: 'pro',
      brand: { accent: '#b3432b', title: 'ProductCo Furniture' },
      texts: {
        greeting: 'Hi! I know every piece in our catalogue. What are you looking for?',
        placeholder: 'e.g. red sofa under 500',
        consent,
        suggestions: ['Red sofa under 500', 'I want to order two of the red sofa', 'How long does delivery take?'],
      },
    },
    agent: {
      slug: 'productco',
      name: 'ProductCo Agent',
      subtype: 'sales_assistant',
      config: {
        library: true,
        voice: 'cedar',
        systemPrompt:
          'You sell ProductCo furniture. Find pieces with search_products, counts and price ranges with product_stats, and answer questions about delivery, returns and warranty with search_knowledge. Prices are in US dollars. Say it when a piece is out of stock. Whoever wants to buy gets show_order_form at once, filled with what you know; call it again with every further thing they say, read the order back, and place it with place_order once they say yes.',
        personality:
          'Direct and good-humoured. Asks one question when a wish is unclear, and then suggests two pieces at most.',
        brandVoiceInstructions:
          'Say "piece", not "item". No superlatives: name what a piece is made of and what it measures.',
        blockedTopics: ['furniture of other shops'],
        greeting: 'Hi, this is ProductCo. What are you looking for?',
        enabledTools: [
          ...['search_products', 'product_stats', 'search_knowledge'],
          ...['show_product_cards', 'show_order_form', 'place_order', 'show_chart', 'show_map_link'],
        ],
      },
    },
    siteKey: 'pk_demo_productco',
    tools: [...productTools, lookUp('delivery, returns, warranty, payment and care')],
    answers: answers.productco,
    records: { product: products },
  },
  {
    tenant: {
      slug: 'eventco',
      name: 'EventCo',
      plan: 'pro',
      brand: { accent: '#3b4cca', title: 'Voices 2027' },
      texts: {
        greeting: 'Welcome to Voices 2027! Ask me who speaks when, or how to get there.',
        placeholder: 'Ask about the conference',
        consent,
        suggestions: ['Who speaks at 10?', 'How much are the tickets?', 'Where is the venue?'],
      },
    },
    agent: {
      slug: 'event',
      name: 'EventAgent',
      subtype: 'customer_support',
      config: {
        library: true,
        voice: 'marin',
        systemPrompt:
          'You are the guide of the conference Voices 2027 in Hamburg on 18 and 19 March 2027. Use event_program for talks and times, event_speakers for people, event_info for place and tickets, and search_knowledge for everything else.',
        personality: 'Quick and precise, as people ask between two talks.',
        brandVoiceInstructions: 'Give times as 10:00 and name the room with every talk.',
        greeting: 'Welcome to Voices 2027. What would you like to know?',
        enabledTools: ['event_program', 'event_speakers', 'event_info', 'search_knowledge'],
      },
    },
    siteKey: 'pk_demo_eventco',
    tools: [
      {
        name: 'event_program',
        kind: 'event.program',
        description: 'The program: talks by time of day, day, track or speaker.',
      },
      { name: 'event_speakers', kind: 'event.speakers', description: 'Speakers with title, company and topics.' },
      { name: 'event_info', kind: 'event.info', description: 'Name, dates, place and tickets of the conference.' },
      lookUp('tickets, travel, hotels, food, accessibility and rules of the conference'),
    ],
    answers: answers.eventco,
    records: { event: [{ slug: conferenceSlug, data: conference }], speaker: speakers, session: sessions },
  },
]
