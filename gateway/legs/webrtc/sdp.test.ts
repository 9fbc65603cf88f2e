import { describe, expect, test } from 'vitest'
import { readOffer, withPublicIp } from './sdp.ts'

const offer = (...more: readonly string[]): string =>
  [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=mid:0',
    'a=rtcp-fb:111 transport-cc',
    'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
    'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
    ...more,
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    '',
  ].join('\r\n')

const candidates = (text: string): string[] => text.split('\r\n').filter((line) => line.startsWith('a=candidate:'))

describe('an offer', () => {
  test('is passed on without names to look up, with so many addresses and no more', () => {
    const read = readOffer(
      offer(
        'a=candidate:1 1 udp 2122260223 8f6b.local 51000 typ host',
        'a=candidate:2 1 udp 2122260223 evil.example 51000 typ host',
        'a=candidate:3 1 udp 2122260223 192.0.2.7 51000 typ host generation 0',
        'a=candidate:4 1 udp 2122260223 fd00::7 51000 typ host generation 0',
        'a=candidate:nonsense',
      ),
    )
    if (read.is !== 'offer') throw new Error(read.why)
    expect(candidates(read.sdp).map((line) => line.split(' ')[4])).toEqual(['192.0.2.7', 'fd00::7'])
    expect(read.hasChannel).toBe(true)
    const many = readOffer(
      offer(...Array.from({ length: 100 }, (_, i) => `a=candidate:${i} 1 udp 1 192.0.2.${i} 51000 typ host`)),
    )
    if (many.is !== 'offer') throw new Error(many.why)
    expect(candidates(many.sdp)).toHaveLength(24)
  })

  test('loses what a voice needs no feedback for, and nothing else', () => {
    const read = readOffer(offer())
    if (read.is !== 'offer') throw new Error(read.why)
    expect(read.sdp).not.toMatch(/transport-cc|abs-send-time|transport-wide/)
    expect(read.sdp).toContain('a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n')
  })

  test.each([
    ['', 'no session description'],
    ['hello', 'no session description'],
    ['v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n', 'no audio'],
    [offer(...Array.from({ length: 4 }, () => 'm=video 9 UDP/TLS/RTP/SAVPF 96')), 'more than'],
  ])('that is none is refused with a reason', (text, why) => {
    const read = readOffer(text)
    expect(read.is === 'wrong' ? read.why : '').toContain(why)
  })

  test('with line ends of another system is one too', () => {
    expect(readOffer(offer().replaceAll('\r\n', '\n'))).toEqual(readOffer(offer()))
  })
})

test('behind an address translation an answer tells the outer address, once per port, and nothing of the inside', () => {
  const answer = offer(
    'a=candidate:1 1 udp 2122265343 fd00::2 40000 typ host generation 0',
    'a=candidate:2 1 udp 2122194687 10.0.0.4 40000 typ host generation 0',
    'a=candidate:3 1 udp 2122063615 127.0.0.1 40000 typ host generation 0',
    'a=candidate:4 1 udp 2122194687 172.17.0.1 40000 typ host generation 0',
    'a=candidate:5 1 udp 2122194687 172.17.0.1 40002 typ host generation 0',
    'a=candidate:6 1 udp 41885439 198.51.100.9 60000 typ relay raddr 10.0.0.4 rport 40000',
  )
  expect(candidates(withPublicIp(answer, '203.0.113.5'))).toEqual([
    'a=candidate:2 1 udp 2122194687 203.0.113.5 40000 typ host generation 0',
    'a=candidate:5 1 udp 2122194687 203.0.113.5 40002 typ host generation 0',
    'a=candidate:6 1 udp 41885439 198.51.100.9 60000 typ relay raddr 10.0.0.4 rport 40000',
  ])
})
