// The README's table of visuals, of the list that everything else about them is made of. Pure.

import type { Visual } from '../gateway/protocol/visuals/visual.ts'

export function visualsTable(visuals: readonly Visual[]): string {
  const rows = visuals.map(
    ({ name, title, description }) => `| \`show_${name}\` | ${title} | ${firstSentence(description)} |`,
  )
  return ['| tool | visual | what it is for |', '|---|---|---|', ...rows].join('\n')
}

const firstSentence = (text: string): string => (/^.*?\.(?=\s|$)/.exec(text)?.[0] ?? text).replaceAll('|', '\\|')
