// dependency-cruiser. A folder may import only rows listed before its own, and only front doors (`x/x.ts`).
const rows = [
  ['protocol'],
  ['embedded'],
  ['platform'],
  ['tenants', 'ledger', 'knowledge', 'entities', 'events', 'executions', 'objects', 'transcript', 'engines'],
  ['identity', 'usage', 'billing', 'agents', 'webhooks'],
  ['tools', 'leads'],
  ['sessions', 'chat'],
  ['legs', 'channels', 'http', 'jobs', 'seed'],
]
const all = rows.flat()
const under = (names) => names.map((name) => `^gateway/${name}/`)
const tests = '[.](test|contract|test-support)[.]ts$'
const direction = rows.flatMap((row, i) =>
  row.map((name) => ({
    name: `${name}-reads-earlier-rows-only`,
    severity: 'error',
    from: { path: `^gateway/${name}/`, pathNot: tests },
    to: {
      path: [
        ...under(
          rows
            .slice(i)
            .flat()
            .filter((each) => each !== name),
        ),
        '^gateway/(app|main|config|routes|slices|stores)[.]ts$',
      ],
    },
  })),
)

module.exports = {
  forbidden: [
    ...direction,
    {
      name: 'front-door-only',
      severity: 'error',
      from: { path: '^gateway/([^/]+)/', pathNot: tests },
      to: {
        path: '^gateway/[^/]+/',
        pathNot: [
          '^gateway/$1/',
          '^gateway/(protocol|platform)/',
          // What a slice sends, as schemas: a door beside the front door.
          '^gateway/[^/]+/views[.]ts$',
          ...all.map((name) => `^gateway/${name}/${name}[.]ts$`),
        ],
      },
    },
    {
      name: 'clients-see-protocol-only',
      severity: 'error',
      from: { path: '^(widget|console|api-docs)/' },
      to: { path: '^gateway/', pathNot: '^gateway/protocol/' },
    },
    {
      name: 'protocol-imports-nothing',
      severity: 'error',
      from: { path: '^gateway/protocol/' },
      to: { pathNot: '^gateway/protocol/' },
    },
    {
      name: 'widget-ships-no-zod',
      severity: 'error',
      from: { path: '^(widget|api-docs)/' },
      to: { path: 'node_modules/(zod|react|react-dom)/' },
    },
    {
      name: 'vendor-in-its-room',
      severity: 'error',
      from: { path: '^gateway/', pathNot: ['^gateway/(billing|platform|legs|engines)/', tests] },
      to: { path: 'node_modules/(stripe|ioredis|ws|openai|@roamhq)/' },
    },
    {
      name: 'drivers-hold-no-records',
      severity: 'error',
      from: { path: '^gateway/(legs|channels|http|jobs|protocol)/', pathNot: tests },
      to: { path: 'node_modules/(mongodb|@upstash)/' },
    },
    { name: 'known-folder', severity: 'error', from: { path: '^gateway/[^/]+/', pathNot: under(all) }, to: {} },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '[.]css$' } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    // With TypeScript 7 the default parser reads no module at all and reports success: check-layers.ts counts them.
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    // Tests may import what they test; and swc's extractor does not know `await using`.
    exclude: { path: ['(^|/)dist/', '[.](test|test-support)[.]tsx?$'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.d.ts'],
    },
  },
}
