/** Words of the document, with what stands in backticks as code. */
export function Told({ text }: { text: string }) {
  return <>{text.split('`').map((part, at) => (at % 2 === 1 ? <code key={`${at}`}>{part}</code> : part))}</>
}
