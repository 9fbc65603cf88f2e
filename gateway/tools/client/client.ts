// Tools whose effect is on the other side of the conversation: what the person is shown, and what the page does.

import type { CollectionSpec } from '../../platform/mongo.ts'
import type { BuiltinTool } from '../tool.ts'
import { orderFormStore } from './order-store.ts'
import { type OrderDeps, orderForm, orderTools } from './orders.ts'
import { type VisualDeps, visualTools } from './visual-tools.ts'

export type ClientDeps = VisualDeps & OrderDeps

export const clientCollections: readonly CollectionSpec[] = [orderFormStore.spec]

export function clientTools(deps: ClientDeps): readonly BuiltinTool[] {
  return [...visualTools(deps, [orderForm]), ...orderTools(deps)]
}
