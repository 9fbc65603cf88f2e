// Which addresses of the internet are anybody's to ask. Pure. Sources: the IANA registries as ipaddr.js carries them, and
// the clouds' own papers for the addresses from which machines get their credentials.

import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** `metadata`: answers with the machine's own credentials; some of these count as public unicast. */
export type AddressKind = 'public' | 'metadata' | 'inner'

const metadata = new Set(
  [
    '169.254.169.254', // AWS, GCP, Azure, DigitalOcean, Oracle, …
    '169.254.170.2', // AWS ECS
    '169.254.170.23', // AWS EKS
    '168.63.129.16', // Azure's wire server: public unicast
    '100.100.100.200', // Alibaba
    '192.0.0.192', // Oracle
    'fd00:ec2::254', // AWS
    'fd00:ec2::23', // AWS EKS
    'fd20:ce::254', // GCP
    'fe80::a9fe:a9fe', // OpenStack
  ].map((each) => ipaddr.parse(each).toNormalizedString()),
)

/** Names of the same; they, too, mean nothing outside a cloud. */
export const metadataNames: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.goog',
  'metadata.google.internal',
  'metadata.tencentyun.com',
  'metadata.azure.internal',
  'instance-data',
  'instance-data.ec2.internal',
])

const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** An IPv4 address written as an IPv6 one (mapped, NAT64) is what it stands for. Undefined: no address. */
export function parseAddress(text: string): Address | undefined {
  // Four decimal parts only: other spellings of IPv4 are the URL parser's to read, before they come here.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  if (!ipaddr.IPv6.isValid(text) || text.includes('%')) return undefined
  const address = ipaddr.IPv6.parse(text)
  if (address.isIPv4MappedAddress()) return address.toIPv4Address()
  return address.match(nat64) ? new ipaddr.IPv4(address.toByteArray().slice(12)) : address
}

export function kindOf(address: Address): AddressKind {
  if (metadata.has(address.toNormalizedString())) return 'metadata'
  if (address.range() !== 'unicast') return 'inner'
  if (address.kind() === 'ipv4') return 'public'
  const { parts } = address as ipaddr.IPv6
  // ISATAP carries an IPv4 address to which a relay would take it.
  const isTunnel = (parts[4] === 0 || parts[4] === 0x200) && parts[5] === 0x5efe
  return address.match(globalUnicast) && !isTunnel ? 'public' : 'inner'
}
