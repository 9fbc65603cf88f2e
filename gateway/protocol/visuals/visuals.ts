// Every visual. Each is declared once, in the file of its kind, and the model's tool, the widget, the console and the
// documentation are made of this list. One more: an entry in one of those files.

import { askingVisuals } from './asking.ts'
import { lookingVisuals } from './looking.ts'
import { shopVisuals } from './shop.ts'
import type { Visual } from './visual.ts'

export const visuals: readonly Visual[] = [...shopVisuals, ...lookingVisuals, ...askingVisuals]
