// Every way known to us to write an address that nobody may ask, by the numbers of the list of attacks.

export interface Attack {
  readonly id: string
  readonly url: string
  /** What its name resolves to: one set of addresses per question. Without it, the name has none. */
  readonly answers?: readonly (readonly string[])[]
}

const hosts: Readonly<Record<string, readonly string[]>> = {
  'SSRF-01': [
    ...[
      '127.0.0.1',
      'localhost',
      'LOCALHOST',
      'localhost.',
      'localhost..',
      'foo.localhost',
      '0',
      '0.0.0.0',
      '127.1',
      '127.0.1',
    ],
    ...[
      '0x7f.1',
      '0x7f.0.0.1',
      '0x7f000001',
      '2130706433',
      '017700000001',
      '0177.0.0.1',
      '0177.0.0.01',
      '127.000.000.001',
    ],
    ...['①②⑦.⓪.⓪.①', '１２７.０.０.１', '127。0。0。1', 'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ', '127.0.0.1.', '127.255.255.254', '0x0'],
    ...[
      '[::1]',
      '[::]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[64:ff9b::7f00:1]',
    ],
    ...['[2002:7f00:1::]', '[::ffff:0:127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2001:0:7f00:1::]', '[2600::5efe:7f00:1]'],
    ...[
      '%6c%6f%63%61%6c%68%6f%73%74',
      '%31%32%37.0.0.1',
      '127.0.0.1%2e',
      'localhost%00',
      'intranet',
      'db',
      'printer.local',
    ],
    ...['router.home.arpa', 'api.internal', 'consul.service.localdomain'],
  ],
  'SSRF-02': [
    ...[
      '10.0.0.1',
      '10.255.255.255',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '192.168.1.254',
      '100.64.0.1',
      '100.127.255.255',
    ],
    ...[
      '169.254.0.1',
      '169.254.169.254',
      '0xa9fea9fe',
      '2852039166',
      '192.0.0.1',
      '192.0.0.192',
      '192.0.2.1',
      '198.18.0.1',
    ],
    ...[
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '239.255.255.255',
      '240.0.0.1',
      '255.255.255.255',
      '192.88.99.1',
    ],
    ...[
      '0.1.2.3',
      '[fc00::1]',
      '[fd12:3456::1]',
      '[fe80::1]',
      '[fec0::1]',
      '[ff02::1]',
      '[100::1]',
      '[2001:db8::1]',
      '[3fff::1]',
    ],
    ...[
      '[::ffff:10.0.0.1]',
      '[64:ff9b::a00:1]',
      '[2002:a00:1::]',
      '[5f00::1]',
      '[::ffff:192.168.0.1]',
      '[4000::1]',
      '[::8.8.8.8]',
    ],
  ],
  'SSRF-05': [
    ...[
      '168.63.129.16',
      '0xa83f8110',
      '[::ffff:168.63.129.16]',
      '[64:ff9b::a83f:8110]',
      '100.100.100.200',
      '[fd00:ec2::254]',
    ],
    ...[
      '[fd20:ce::254]',
      '169.254.170.2',
      'metadata.google.internal',
      'METADATA.google.internal.',
      'metadata',
      'metadata.goog',
    ],
    ...[
      'instance-data',
      'instance-data.ec2.internal',
      'metadata.tencentyun.com',
      '[::ffff:a9fe:a9fe]',
      '[fe80::a9fe:a9fe]',
    ],
  ],
  'SSRF-11': ['talk.example.com', 'TALK.example.com', 'talk.example.com.', 't%61lk.example.com', 'talk。example。com'],
}

const urls: Readonly<Record<string, readonly string[]>> = {
  'SSRF-09': [
    ...[
      'file:///etc/passwd',
      'gopher://api.example.com/_x',
      'ftp://api.example.com/',
      'data:text/plain,x',
      'ws://api.example.com/',
    ],
    ...['wss://api.example.com/', 'blob:https://api.example.com/1', 'javascript:alert(1)', 'unix:/var/run/docker.sock'],
    ...[
      'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
      'about:blank',
      'http://api.example.com/',
      'http://api.example.com:443/',
    ],
    ...[
      'https://api.example.com:80/',
      'https://api.example.com:22/',
      'https://api.example.com:25/',
      'https://api.example.com:6379/',
    ],
    ...[
      'https://api.example.com:27017/',
      'http://api.example.com:6379/',
      'https://api.example.com:8444/',
      'https://api.example.com:0/',
    ],
    ...[
      'https://api.example.com:65535/',
      'https://user:secret@api.example.com/',
      'https://user@api.example.com/',
      '//api.example.com/',
    ],
    ...[
      '/etc/passwd',
      '',
      ' ',
      'https://',
      'https:///',
      'https://api.example.com:99999/',
      'https://[::1',
      'https://api.exa mple.com/',
    ],
    ...[
      'https://127.0.0.1\\@api.example.com/',
      `https://api.example.com/${'x'.repeat(9_000)}`,
      'https://api.example.com@127.0.0.1/',
    ],
    ...[
      'https://127.0.0.1#@api.example.com/',
      'https://127.0.0.1?@api.example.com/',
      'https:127.0.0.1',
      'https:/\\127.0.0.1/',
    ],
  ],
}

/** Names of the internet that lead inside. */
const names: readonly (readonly string[])[] = [
  ['127.0.0.1'],
  ['::1'],
  ['10.0.0.7'],
  ['169.254.169.254'],
  ['168.63.129.16'],
  ['100.100.100.200'],
  ['fd00:ec2::254'],
  ['::ffff:127.0.0.1'],
  ['64:ff9b::7f00:1'],
  ['0.0.0.0'],
  ['192.168.1.1'],
  ['2002:7f00:1::'],
  // One of several is enough: the connection would take whichever answers.
  ['93.184.216.34', '127.0.0.1'],
  ['93.184.216.34', '::1'],
]

export const attacks: readonly Attack[] = [
  ...Object.entries(hosts).flatMap(([id, all]) =>
    all.flatMap((host) => [
      { id, url: `https://${host}/x?y=z` },
      { id, url: `https://${host}:8443/` },
    ]),
  ),
  ...Object.entries(urls).flatMap(([id, all]) => all.map((url) => ({ id, url }))),
  ...names.map((set, n) => ({ id: 'SSRF-06', url: `https://inside-${n}.example.com/`, answers: [set] })),
  ...names.map((set, n) => ({ id: 'SSRF-06', url: `https://inside-${n}.example.com:8443/`, answers: [set] })),
]
