// scripts/layers.cjs - dependency-cruiser. A folder may import only rows listed before its own, and only front doors.
const rows = [
  ['protocol'],
  ['embedded'],
  ['platform'],
  ['tenants', 'ledger', 'knowledge', 'entities', 'transcript', 'engines'],
  ['identity', 'usage', 'billing', 'agents'],
  ['tools', 'leads'],
  ['sessions'],
  ['legs', 'channels', 'http', 'jobs'],
]
const all = rows.flat(),
  under = (names) => names.map((n) => `^gateway/${n}/`)
const direction = rows.flatMap((row, i) =>
  row.map((name) => ({
    name: `${name}-reads-earlier-rows-only`,
    severity: 'error',
    from: { path: `^gateway/${name}/`, pathNot: '[.]test[.]ts$' },
    to: {
      path: [
        ...under(
          rows
            .slice(i)
            .flat()
            .filter((n) => n !== name),
        ),
        '^gateway/(app|main|config)[.]ts$',
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
      from: { path: '^gateway/([^/]+)/', pathNot: '[.]test[.]ts$' },
      to: {
        path: '^gateway/[^/]+/',
        pathNot: ['^gateway/$1/', '^gateway/(protocol|platform)/', ...all.map((n) => `^gateway/${n}/${n}[.]ts$`)],
      },
    },
    {
      name: 'clients-see-protocol-only',
      severity: 'error',
      from: { path: '^(widget|console)/' },
      to: { path: '^gateway/', pathNot: '^gateway/protocol/' },
    },
    {
      name: 'widget-ships-no-zod',
      severity: 'error',
      from: { path: '^widget/' },
      to: { path: '^gateway/protocol/', pathNot: 'codes[.]ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'vendor-in-its-room',
      severity: 'error',
      from: { path: '^gateway/', pathNot: '^gateway/(billing|platform|legs|engines)/' },
      to: { path: 'node_modules/(stripe|mongodb|ioredis|ws|openai)/' },
    },
    { name: 'known-folder', severity: 'error', from: { path: '^gateway/[^/]+/', pathNot: under(all) }, to: {} },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.d.ts'],
    },
  },
}
