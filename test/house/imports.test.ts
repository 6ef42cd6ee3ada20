import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** Rooms of the house: the first pattern that matches a file names its room. */
const ROOMS: [room: string, pattern: RegExp][] = [
  ['errors', /^src\/core\/errors\.ts$/],
  [
    'events',
    /^src\/core\/(events|files|restore|upkeep|deletion|copying|coverage|schedule|archive-restore)\.ts$/,
  ],
  ['core-door', /^src\/core\/index\.ts$/],
  ['format', /^src\/core\/format\//],
  ['policy', /^src\/core\/policy\//],
  ['config', /^src\/core\/config\//],
  ['ports', /^src\/core\/ports\//],
  ['adapters', /^src\/core\/adapters\//],
  ['jobs', /^src\/core\/jobs\//],
  ['core', /^src\/core\//],
  ['widgets', /^src\/components\/widgets\//],
  ['view', /^src\/components\/view\//],
  ['hooks', /^src\/components\/hooks\//],
  ['screens', /^src\/components\/screens\//],
  ['keymap', /^src\/components\/keymap(\.ts|\/)/],
  ['keys', /^src\/components\/keys\.ts$/],
  ['reducer', /^src\/components\/reducer(\.ts|\/)/],
  ['theme', /^src\/components\/theme\.ts$/],
  ['app', /^src\/components\//],
  ['wiring', /^bin\/wiring\.ts$/],
  ['demo', /^bin\/demo\//],
  ['bin', /^bin\//],
];

/** Who may import whom. `name*`: types only. */
const ALLOWED: Record<string, string[]> = {
  errors: [],
  events: ['errors*', 'ports*', 'policy*'],
  format: ['errors', 'ports*'],
  policy: ['errors', 'ports*'],
  config: ['errors', 'policy'],
  ports: ['errors*', 'events*'],
  adapters: ['ports*', 'errors', 'config*', 'config'],
  jobs: ['ports*', 'format', 'policy', 'events*', 'errors'],
  'core-door': ['core', 'events*', 'errors', 'ports*', 'format*', 'jobs*'],
  core: ['core', 'core*', 'errors', 'events*', 'ports*', 'format', 'policy', 'jobs'],
  view: ['core-door*', 'theme*'],
  theme: ['view*'],
  widgets: ['core-door*', 'view', 'theme'],
  keys: [],
  reducer: ['core-door*', 'view', 'keys'],
  hooks: ['core-door', 'view', 'reducer'],
  keymap: ['core-door*', 'view', 'hooks', 'keys'],
  demo: ['errors'],
  screens: ['core-door*', 'hooks', 'widgets', 'view', 'keymap', 'keys', 'theme'],
};

/** Packages that only these rooms may name, so that the console starts fast and the core stays without a screen. */
const PACKAGES: Record<string, string[]> = {
  react: ['widgets', 'hooks', 'screens', 'app'],
  ink: ['widgets', 'hooks', 'screens', 'app'],
  'string-width': ['view'],
  pg: ['adapters', 'demo'],
  chdb: ['demo'],
  '@clickhouse/client': ['adapters'],
  '@aws-sdk/client-s3': ['adapters'],
  execa: ['adapters', 'bin'],
  commander: ['bin'],
  conf: ['bin', 'wiring'],
};

interface Import {
  file: string;
  from: string;
  typeOnly: boolean;
}

function roomOf(file: string): string | undefined {
  return ROOMS.find(([, pattern]) => pattern.test(file))?.[0];
}

const IMPORT = /^\s*(import|export)\s+(type\s+)?(?:[^'";]*?from\s+)?'([^']+)'|import\('([^']+)'\)/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, , type, named, dynamic]) => ({
    file,
    from: (named ?? dynamic) as string,
    typeOnly: type !== undefined,
  }));
}

function breach({ file, from, typeOnly }: Import): string | undefined {
  const room = roomOf(file) as string;
  if (from.startsWith('node:') || builtinModules.includes(from)) return undefined;
  if (!from.startsWith('.')) return packageBreach(room, from, typeOnly);
  const target = normalize(join(dirname(file), from));
  const other = roomOf(target) ?? target;
  if (other === room || room === 'bin' || room === 'wiring' || room === 'app')
    return ownDoor(room, other, target);
  const allowed = ALLOWED[room] ?? [];
  if (allowed.includes(other) || (typeOnly && allowed.includes(`${other}*`))) return undefined;
  return `${room} may not import ${typeOnly ? 'types of ' : ''}${other}`;
}

/** The console's top knows core by its door alone; only the wiring names adapters. */
function ownDoor(room: string, other: string, target: string): string | undefined {
  if (room === 'app' && target.startsWith('src/core/') && other !== 'core-door')
    return 'the console imports core by its door only';
  if (room === 'bin' && other === 'adapters') return 'only bin/wiring.ts names adapters';
  return undefined;
}

function packageBreach(room: string, from: string, typeOnly: boolean): string | undefined {
  const name = from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
  const rooms = PACKAGES[name];
  if (!rooms) return room === 'bin' ? undefined : `${room} may not use the package ${name}`;
  if (typeOnly || rooms.includes(room)) return undefined;
  return `${room} may not use the package ${name}`;
}

const files = globSync(['src/**/*.{ts,tsx}', 'bin/**/*.ts'], { cwd: ROOT }).map((file) =>
  relative('.', file),
);

test('every file of the house stands in a room', () => {
  assert.ok(files.length > 50);
  assert.deepEqual(
    files.filter((file) => roomOf(file) === undefined),
    [],
  );
});

test('no file imports what its room may not', () => {
  const breaches = files.flatMap(importsOf).flatMap((one) => {
    const why = breach(one);
    return why ? [`${one.file} → ${one.from}: ${why}`] : [];
  });
  assert.deepEqual(breaches, []);
});

test('a breach is seen', () => {
  const cases: [file: string, from: string, typeOnly: boolean][] = [
    ['src/core/jobs/backup.ts', '../adapters/disk-storage.ts', false],
    ['src/core/ports/storage.ts', '../format/index.ts', false],
    ['src/core/format/seal.ts', '../ports/storage.ts', false],
    ['src/core/engine.ts', 'react', false],
    ['src/components/widgets/table.tsx', '../../core/index.ts', false],
    ['src/components/screens/jobs.tsx', '../../core/run-engine.ts', false],
    ['bin/commands/job.ts', '../../src/core/adapters/disk-storage.ts', false],
    ['src/core/adapters/clickhouse.ts', 'left-pad', false],
  ];
  for (const [file, from, typeOnly] of cases) {
    assert.notEqual(breach({ file, from, typeOnly }), undefined, `${file} → ${from}`);
  }
});

test('the engine never touches the terminal', () => {
  const loud = files
    .filter((file) => file.startsWith('src/core/'))
    .filter((file) => {
      return /process\.(stdout|stderr|stdin|argv|exit)\b|console\.\w+\(/.test(
        readFileSync(join(ROOT, file), 'utf8'),
      );
    });
  assert.deepEqual(loud, []);
});
