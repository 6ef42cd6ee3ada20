import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** Modules of the architecture: the first pattern that matches a file names its module. */
const MODULES: [module: string, pattern: RegExp][] = [
  ['errors', /^src\/core\/errors\.ts$/],
  [
    'events',
    /^src\/core\/(events|files|restore|upkeep|deletion|copying|coverage|schedule|archive-restore)\.ts$/,
  ],
  ['core-index', /^src\/core\/index\.ts$/],
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

/** Allowed imports per module. `name*`: types only. */
const ALLOWED: Record<string, string[]> = {
  errors: [],
  events: ['errors*', 'ports*', 'policy*'],
  format: ['errors', 'ports*'],
  policy: ['errors', 'ports*'],
  config: ['errors', 'policy'],
  ports: ['errors*', 'events*'],
  adapters: ['ports*', 'errors', 'config*', 'config'],
  jobs: ['ports*', 'format', 'policy', 'events*', 'errors'],
  'core-index': ['core', 'events*', 'errors', 'ports*', 'format*', 'jobs*'],
  core: ['core', 'core*', 'errors', 'events*', 'ports*', 'format', 'policy', 'jobs'],
  view: ['core-index*', 'theme*'],
  theme: ['view*'],
  widgets: ['core-index*', 'view', 'theme'],
  keys: [],
  reducer: ['core-index*', 'view', 'keys'],
  hooks: ['core-index', 'view', 'reducer'],
  keymap: ['core-index*', 'view', 'hooks', 'keys'],
  demo: ['errors'],
  screens: ['core-index*', 'hooks', 'widgets', 'view', 'keymap', 'keys', 'theme'],
};

/** Packages and the modules that may import them: keeps startup fast and the core free of UI code. */
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

function moduleOf(file: string): string | undefined {
  return MODULES.find(([, pattern]) => pattern.test(file))?.[0];
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

function violation({ file, from, typeOnly }: Import): string | undefined {
  const module = moduleOf(file) as string;
  if (from.startsWith('node:') || builtinModules.includes(from)) return undefined;
  if (!from.startsWith('.')) return packageViolation(module, from, typeOnly);
  const target = normalize(join(dirname(file), from));
  const other = moduleOf(target) ?? target;
  if (other === module || module === 'bin' || module === 'wiring' || module === 'app')
    return entryPointViolation(module, other, target);
  const allowed = ALLOWED[module] ?? [];
  if (allowed.includes(other) || (typeOnly && allowed.includes(`${other}*`))) return undefined;
  return `${module} may not import ${typeOnly ? 'types of ' : ''}${other}`;
}

/** The console imports core through its index only; only the wiring names adapters. */
function entryPointViolation(module: string, other: string, target: string): string | undefined {
  if (module === 'app' && target.startsWith('src/core/') && other !== 'core-index')
    return 'the console may import core through src/core/index.ts only';
  if (module === 'bin' && other === 'adapters') return 'only bin/wiring.ts may import adapters';
  return undefined;
}

function packageViolation(module: string, from: string, typeOnly: boolean): string | undefined {
  const name = from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
  const modules = PACKAGES[name];
  if (!modules) return module === 'bin' ? undefined : `${module} may not use the package ${name}`;
  if (typeOnly || modules.includes(module)) return undefined;
  return `${module} may not use the package ${name}`;
}

const files = globSync(['src/**/*.{ts,tsx}', 'bin/**/*.ts'], { cwd: ROOT }).map((file) =>
  relative('.', file),
);

test('every source file belongs to a module', () => {
  assert.ok(files.length > 50);
  assert.deepEqual(
    files.filter((file) => moduleOf(file) === undefined),
    [],
  );
});

test('imports follow the allowed directions', () => {
  const violations = files.flatMap(importsOf).flatMap((reference) => {
    const reason = violation(reference);
    return reason ? [`${reference.file} → ${reference.from}: ${reason}`] : [];
  });
  assert.deepEqual(violations, []);
});

test('violations are detected', () => {
  const cases: [file: string, from: string, typeOnly: boolean][] = [
    ['src/core/jobs/backup.ts', '../adapters/disk-storage.ts', false],
    ['src/core/ports/storage.ts', '../format/index.ts', false],
    ['src/core/format/seal.ts', '../ports/storage.ts', false],
    ['src/core/engine.ts', 'react', false],
    ['src/components/widgets/table.tsx', '../../core/index.ts', false],
    ['src/components/screens/jobs.tsx', '../../core/run-engine.ts', false],
    ['bin/commands/job.ts', '../../src/core/adapters/disk/storage.ts', false],
    ['src/core/adapters/clickhouse.ts', 'left-pad', false],
  ];
  for (const [file, from, typeOnly] of cases) {
    assert.notEqual(violation({ file, from, typeOnly }), undefined, `${file} → ${from}`);
  }
});

test('core does not use the terminal', () => {
  const offenders = files
    .filter((file) => file.startsWith('src/core/'))
    .filter((file) => {
      return /process\.(stdout|stderr|stdin|argv|exit)\b|console\.\w+\(/.test(
        readFileSync(join(ROOT, file), 'utf8'),
      );
    });
  assert.deepEqual(offenders, []);
});
