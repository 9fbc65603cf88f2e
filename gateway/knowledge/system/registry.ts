// The papers of our own: what they are about and by which words of a question one knows that one of them is wanted.

import type { SystemDocumentView } from '../../protocol/agents.ts'

export interface SystemDocument extends SystemDocumentView {
  /** Beside this file. */
  readonly file: string
}

const document = (
  slug: string,
  [category, title, summary]: readonly [SystemDocument['category'], string, string],
  keywords: string,
): SystemDocument => ({
  ...{ slug, category, title, summary, file: `${slug}.md` },
  keywords: keywords.split(',').map((each) => each.trim()),
})

export const systemDocuments: readonly SystemDocument[] = [
  document(
    'positioning',
    ['marketing', 'Positioning', 'For whom an offer is, what it is compared with, and the one sentence that says so.'],
    'positioning, position ourselves, differentiate, differentiation, stand out, unique selling proposition, usp, value proposition, category, slogan, tagline',
  ),
  document(
    'funnel-metrics',
    [
      'marketing',
      'The funnel',
      'Where people are lost between a first visit and a paid bill, and which step to repair first.',
    ],
    'funnel, aarrr, pirate metrics, conversion, conversion rate, conversions, drop off, activation, acquisition channel, cohort, more leads, lead generation, bounce rate, abandoned basket, abandoned cart',
  ),
  document(
    'copy-aida-pas',
    [
      'marketing',
      'Copy: AIDA and PAS',
      'Two orders of telling for advertisements, pages and mails that lead to a decision.',
    ],
    'copywriting, aida, pas, headline, landing page, sales copy, ad copy, advertisement, advert, product description, call to action, write an ad',
  ),
  document(
    'segments-and-jobs',
    ['marketing', 'Segments and jobs', 'Groups that behave differently, and what people hire a product for.'],
    'segment, segments, segmentation, persona, personas, target group, target audience, target market, ideal customer, jobs to be done, jtbd, who are our customers',
  ),
  document(
    'email-nurture',
    ['marketing', 'Nurturing by e-mail', 'Sequences that are welcome: welcome, education, recovery, retention.'],
    'nurture, nurturing, email sequence, e-mail sequence, drip campaign, newsletter, email marketing, e-mail marketing, email campaign, e-mail campaign, unsubscribe rate, welcome email',
  ),
  document(
    'discovery-spin',
    ['sales', 'Discovery with SPIN', 'Questions by which buyers find out themselves what a problem costs.'],
    'spin, spin selling, discovery call, discovery questions, discovery, sales questions, questions to ask, needs analysis, implication questions, understand the customer',
  ),
  document(
    'qualification',
    ['sales', 'Qualifying: BANT and MEDDIC', 'Which enquiries deserve time, and how to find out kindly.'],
    'qualify, qualifying, qualification, qualified lead, bant, meddic, lead scoring, score leads, budget authority need, economic buyer, champion, decision maker, wasting time on leads',
  ),
  document(
    'objections',
    ['sales', 'Objections', 'Too expensive, not now, not you: the question behind the refusal, and how to answer it.'],
    'objection, objections, too expensive, price objection, overcome, pushback, hesitates, hesitant, think about it, not interested, says no, laer, sceptical customer, skeptical customer',
  ),
  document(
    'negotiation',
    ['sales', 'Negotiating', 'Alternatives, limits, packages and conditional concessions.'],
    'negotiate, negotiating, negotiation, batna, concession, concessions, asks for a discount, wants a discount, haggle, counter offer, counteroffer, terms of a contract, reservation price',
  ),
  document(
    'follow-up-and-closing',
    ['sales', 'Following up and closing', 'Next steps with a date, a rhythm for silence, and asking for the decision.'],
    'follow up, follow-up, following up, closing, close the deal, close a deal, close the sale, close more deals, buying signal, ghosted, no reply, no answer to our offer, next step, ask for the order, win more deals',
  ),
  document(
    'swot-to-actions',
    ['strategy', 'From SWOT to actions', 'Strengths, weaknesses, opportunities and threats, crossed into a few moves.'],
    'swot, tows, strengths and weaknesses, strengths weaknesses, opportunities and threats, strategic analysis, situation analysis, strategic plan',
  ),
  document(
    'five-forces',
    ['strategy', 'Five forces', 'Why an industry lets its firms keep much or little, and what can be done.'],
    'five forces, porter, industry analysis, competitive analysis, competitor analysis, competition analysis, barriers to entry, bargaining power, substitutes, market entry, enter a market, enter a new market',
  ),
  document(
    'pricing-strategy',
    [
      'strategy',
      'Setting prices',
      'Cost, competition and value; the unit, the packages and the arithmetic of a change.',
    ],
    'pricing, pricing strategy, set prices, set our prices, set a price, price increase, raise prices, raise our prices, raising prices, price our, value based, value-based, cost plus, price tiers, pricing tiers, price packages, van westendorp, how much should we charge, what to charge',
  ),
  document(
    'unit-economics',
    ['strategy', 'Unit economics', 'What one customer costs and brings: CAC, contribution, churn, LTV, payback.'],
    'unit economics, cac, ltv, clv, lifetime value, customer acquisition cost, acquisition cost, churn, payback, contribution margin, marketing budget, does advertising pay, return on ad spend, roas',
  ),
  document(
    'goals-okr',
    [
      'strategy',
      'Goals: objectives and key results',
      'Goals that change what people do: words for the direction, figures for the proof.',
    ],
    'okr, okrs, objectives and key results, key result, key results, goal setting, set goals, set targets, quarterly goals, kpi, kpis, smart goals',
  ),
]
