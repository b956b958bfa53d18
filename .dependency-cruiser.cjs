/**
 * Which room may import which. The picture is in docs/architecture.md: data flows one way, adapters know nothing of each
 * other, charts know nothing of the world.
 */
const ADAPTERS = [
  'mattermost',
  'worker',
  'local',
  'postgres',
  'http',
  'devcontainer',
  'ssh',
  'git',
  'opnsense',
  'nftables',
];

/** Files below `room` may import only the listed places (and libraries, unless `libraries` says which). */
function room(name, path, allowed) {
  return {
    name,
    severity: 'error',
    from: { path: `^${path}` },
    to: { path: '^(src|agent-worker|simulator)/', pathNot: [`^${path}`, ...allowed.map((place) => `^${place}`)] },
  };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Types may refer to each other; code may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: ['/generated/', 'src/main\\.ts$', 'events\\.ts$'] },
      to: {},
    },
    { name: 'nothing-imports-main', severity: 'error', from: {}, to: { path: '^(src|agent-worker/src)/main\\.ts$' } },
    room('machines-are-pure', 'src/machines/', []),
    {
      name: 'machines-import-only-xstate',
      severity: 'error',
      from: { path: '^src/machines/' },
      to: { dependencyTypes: ['npm', 'core'], pathNot: 'node_modules/xstate/' },
    },
    room('chat-is-pure', 'src/chat/', ['src/machines/']),
    room('policy-is-pure', 'src/policy/', ['src/machines/']),
    {
      name: 'chat-and-policy-do-no-io',
      comment: 'Hashes, paths and addresses are computed, not fetched.',
      severity: 'error',
      from: { path: '^src/(chat|policy)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|net|path|url)$' },
    },
    room('actors-know-no-outside', 'src/actors/', ['src/machines/']),
    {
      name: 'actors-import-only-xstate',
      severity: 'error',
      from: { path: '^src/actors/' },
      to: { dependencyTypes: ['npm'], pathNot: 'node_modules/xstate/' },
    },
    ...ADAPTERS.map((adapter) =>
      room(`adapter-${adapter}-stands-alone`, `src/adapters/${adapter}/`, [
        'src/machines/',
        'src/actors/',
        ...(adapter === 'postgres' ? ['src/inspector/ports'] : []),
      ]),
    ),
    room('flows-talk-to-ports', 'src/flows/', [
      'src/chat/',
      'src/policy/',
      'src/actors/',
      'src/machines/',
      'src/adapters/',
      'src/config',
    ]),
    room('inspector-looks-through-ports', 'src/inspector/', ['src/actors/', 'src/machines/']),
    {
      name: 'inspector-runs-no-actors',
      comment: 'It knows their types and asks its ports; the runtime itself is none of its business.',
      severity: 'error',
      from: { path: '^src/inspector/' },
      to: { path: '^src/actors/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'product-never-imports-simulator',
      severity: 'error',
      from: { path: '^(src|agent-worker)/' },
      to: { path: '^simulator/' },
    },
    {
      name: 'worker-knows-only-the-contract',
      severity: 'error',
      from: { path: '^agent-worker/src/' },
      to: { path: '^(src|simulator)/' },
    },
    {
      name: 'simulator-knows-no-product',
      severity: 'error',
      from: { path: '^simulator/src/' },
      to: { path: '^(src|agent-worker)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|generated)/' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs'] },
  },
};
