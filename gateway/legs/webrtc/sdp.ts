// Session descriptions: what of an offer is passed on to the native library, and what of an answer to the browser. Pure.

/** A browser's offer of one voice and one channel has some 3 kB. */
export const maxSdpBytes = 64 * 1024
/** Every candidate of an offer is an address that this machine sends checks to. */
const maxCandidates = 24

export type Offer =
  | { readonly is: 'offer'; readonly sdp: string; readonly hasChannel: boolean }
  | { readonly is: 'wrong'; readonly why: string }

const candidate = /^a=candidate:\S+ \d+ (\S+) \d+ (\S+) (\d+) typ (\S+)/i
const ipV4 = /^\d{1,3}(\.\d{1,3}){3}$/

/** Bandwidth estimation: a voice of 32 kbit/s needs none, and it is a tenth of what a call costs. */
const estimation = /^a=(rtcp-fb:\S+ transport-cc|extmap:\S+ \S*(abs-send-time|transport-wide-cc)\S*)/

/** Names instead of addresses are left out: what a stranger writes is not looked up. */
export function readOffer(text: string): Offer {
  const lines = text.split(/\r?\n/).filter((line) => line !== '')
  if (lines[0] !== 'v=0') return { is: 'wrong', why: 'The offer is no session description.' }
  const media = lines.filter((line) => line.startsWith('m=')).map((line) => line.slice(2).split(' ')[0])
  if (!media.includes('audio')) return { is: 'wrong', why: 'The offer has no audio.' }
  if (media.length > 4) return { is: 'wrong', why: 'The offer has more than voice and events.' }
  let candidates = 0
  const kept = lines.filter((line) => {
    if (!line.startsWith('a=candidate:')) return !estimation.test(line)
    const address = candidate.exec(line)?.[2]
    if (address === undefined || !(ipV4.test(address) || address.includes(':'))) return false
    return ++candidates <= maxCandidates
  })
  return { is: 'offer', sdp: `${kept.join('\r\n')}\r\n`, hasChannel: media.includes('application') }
}

/**
 * Behind a one-to-one address translation the library knows only the inner addresses: each of its ports is told under the
 * outer one, and nothing of the inside is told at all.
 */
export function withPublicIp(sdp: string, ip: string): string {
  const ports = new Set<string>()
  const lines = sdp.split(/\r?\n/).flatMap((line) => {
    const [whole, , address = '', port = '', kind] = candidate.exec(line) ?? []
    if (whole === undefined || kind !== 'host') return [line]
    const section = `${sectionOf(sdp, line)} ${port}`
    if (!ipV4.test(address) || address.startsWith('127.') || ports.has(section)) return []
    ports.add(section)
    return [line.replace(` ${address} ${port} `, ` ${ip} ${port} `)]
  })
  return lines.join('\r\n')
}

function sectionOf(sdp: string, line: string): number {
  return sdp.slice(0, sdp.indexOf(line)).split('m=').length
}
