// Demo data: ProductCo's furniture. Invented; prices in cents.

import type { EntityInput } from '../entities/entities.ts'

type Product = EntityInput<'product'>

type Row = readonly [
  name: string,
  category: string,
  colours: readonly string[],
  priceCents: number,
  material: string,
  dimensions: string,
  description: string,
]

const rows: readonly Row[] = [
  [
    'Alba 3-Seater',
    'sofa',
    ['red', 'grey', 'navy'],
    49_900,
    'fabric',
    '210 × 88 × 82 cm',
    'Deep seats, washable covers and solid beech legs.',
  ],
  [
    'Alba 2-Seater',
    'sofa',
    ['red', 'beige'],
    39_900,
    'fabric',
    '158 × 88 × 82 cm',
    'The small one of the Alba family, for two and a cat.',
  ],
  [
    'Porto Corner',
    'sofa',
    ['grey', 'green'],
    129_900,
    'velvet',
    '270 × 200 × 80 cm',
    'Corner piece for large rooms; the corner fits left or right.',
  ],
  [
    'Lund Leather',
    'sofa',
    ['brown', 'black'],
    159_900,
    'leather',
    '220 × 92 × 78 cm',
    'Full-grain leather that grows better with age.',
  ],
  [
    'Nook Sleeper',
    'sofa',
    ['blue', 'red'],
    64_900,
    'fabric',
    '196 × 95 × 84 cm',
    'Turns into a 140 cm bed in one movement, with storage below.',
  ],
  ['Freya', 'armchair', ['mustard', 'teal'], 29_900, 'velvet', '74 × 80 × 86 cm', 'Rounded back and brass feet.'],
  [
    'Otis Recliner',
    'armchair',
    ['brown'],
    54_900,
    'leather',
    '82 × 95 × 104 cm',
    'Leans back silently in three steps.',
  ],
  [
    'Hilde Wing',
    'armchair',
    ['green', 'grey'],
    44_900,
    'wool',
    '78 × 84 × 108 cm',
    'A high back for long evenings with a book.',
  ],
  [
    'Kivi',
    'chair',
    ['white', 'black', 'red'],
    7_900,
    'plastic',
    '46 × 52 × 81 cm',
    'Stackable, for inside and outside.',
  ],
  ['Maren', 'chair', ['brown', 'white'], 12_900, 'oak', '47 × 53 × 80 cm', 'Solid oak with a woven paper-cord seat.'],
  [
    'Tomo Swivel',
    'chair',
    ['grey', 'blue'],
    18_900,
    'fabric',
    '60 × 60 × 92 cm',
    'Work chair with a lumbar support you can move.',
  ],
  [
    'Bistro Set of 2',
    'chair',
    ['green', 'yellow'],
    15_900,
    'steel',
    '41 × 44 × 82 cm',
    'Two folding chairs for the balcony.',
  ],
  ['Sven Dining', 'table', ['brown'], 69_900, 'oak', '180 × 90 × 75 cm', 'Seats six, eight with the extension leaf.'],
  ['Sven Round', 'table', ['brown', 'white'], 45_900, 'oak', 'ø 120 × 75 cm', 'A round table for four.'],
  [
    'Plaza Coffee',
    'table',
    ['black', 'white'],
    19_900,
    'marble',
    'ø 80 × 38 cm',
    'Marble top on a powder-coated frame.',
  ],
  [
    'Fold Desk',
    'desk',
    ['white', 'brown'],
    24_900,
    'birch',
    '110 × 55 × 74 cm',
    'Folds flat against the wall when work is done.',
  ],
  [
    'Rise Desk',
    'desk',
    ['black', 'white'],
    59_900,
    'steel',
    '140 × 70 × 62–127 cm',
    'Electric sit-and-stand desk with four memory positions.',
  ],
  ['Rack 5', 'shelf', ['white', 'black'], 14_900, 'steel', '80 × 34 × 182 cm', 'Five boards that each carry 60 kg.'],
  [
    'Cube 9',
    'shelf',
    ['white', 'grey', 'yellow'],
    17_900,
    'birch',
    '110 × 36 × 110 cm',
    'Nine open cubes, as a room divider too.',
  ],
  [
    'Ada Cupboard',
    'cupboard',
    ['white'],
    52_900,
    'birch',
    '150 × 60 × 200 cm',
    'Three doors, one mirror, soft closing.',
  ],
  [
    'Ida Sideboard',
    'cupboard',
    ['brown', 'black'],
    48_900,
    'walnut',
    '160 × 42 × 76 cm',
    'Sliding doors and a hole for every cable.',
  ],
  [
    'Juno 160',
    'bed',
    ['grey', 'pink'],
    74_900,
    'fabric',
    '168 × 212 × 104 cm',
    'Upholstered bed for a 160 cm mattress, slats included.',
  ],
  [
    'Juno 180',
    'bed',
    ['grey', 'blue'],
    84_900,
    'fabric',
    '188 × 212 × 104 cm',
    'Upholstered bed for a 180 cm mattress, slats included.',
  ],
  [
    'Mini Bunk',
    'bed',
    ['white', 'turquoise'],
    39_900,
    'pine',
    '97 × 206 × 160 cm',
    'Bunk bed tested for children from six years.',
  ],
  [
    'Halo Floor Lamp',
    'lamp',
    ['black', 'gold'],
    11_900,
    'steel',
    '30 × 30 × 160 cm',
    'Dimmable, warm white, with a foot switch.',
  ],
  [
    'Pebble Table Lamp',
    'lamp',
    ['white', 'orange'],
    5_900,
    'glass',
    '22 × 22 × 28 cm',
    'Hand-blown glass; the bulb is included.',
  ],
  ['Fjord 200', 'rug', ['blue', 'cream'], 22_900, 'wool', '200 × 140 cm', 'Hand-woven wool that shrugs off stains.'],
  ['Sol 300', 'rug', ['red', 'orange'], 34_900, 'wool', '300 × 200 cm', 'Flat weave for large rooms and chair legs.'],
]

const slugOf = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

export const products: readonly { readonly slug: string; readonly data: Product }[] = rows.map(
  ([name, category, colours, priceCents, material, dimensions, description], position) => {
    const slug = slugOf(name)
    const images = [1, 2].map((view) => `https://images.example/productco/${slug}-${view}.jpg`)
    const data: Product = {
      name,
      category,
      colours: [...colours],
      priceCents,
      material,
      dimensions,
      description,
      images,
      // One of the catalogue is out of stock, so that the agent has something to be honest about.
      inStock: position !== 6,
    }
    return { slug, data }
  },
)
