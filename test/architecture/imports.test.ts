import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/**
 * What each module may import besides itself. A type counts like a value, and so does a re-export: a module that needs
 * something from a module that is not listed here has the wrong place, or the thing it needs has.
 */
const BELOW_CONTRACT = ['text', 'ports', 'policy'];
const BELOW_JOB = [...BELOW_CONTRACT, 'contract'];
const BELOW_FEATURES = [...BELOW_JOB, 'config', 'format', 'job'];
const MAY_IMPORT: Record<string, string[]> = {
  text: [],
  ports: ['text'],
  policy: ['text', 'ports'],
  contract: BELOW_CONTRACT,
  config: BELOW_JOB,
  format: BELOW_JOB,
  job: BELOW_JOB,
  adapters: [...BELOW_JOB, 'config', 'format'],
  features: BELOW_FEATURES,
  engine: [...BELOW_FEATURES, 'features'],
  index: [...BELOW_FEATURES, 'features', 'engine'],
  components: ['index', 'text'],
  demo: ['index', 'text', 'contract'],
  bin: ['index', 'text', 'policy', 'contract', 'config', 'components', 'demo', 'wiring'],
  wiring: [...BELOW_FEATURES, 'engine', 'index', 'adapters', 'bin'],
};

/** The features that others build on, in their order; all other features come after them. */
const FIRST_FEATURES = ['files', 'inspect', 'coverage', 'backup'];

/** The layers of the console. What is in no folder of its own puts the layers together, and may import all of them. */
const CONSOLE_LAYERS: Record<string, string[]> = {
  text: [],
  view: ['text'],
  ui: ['text', 'view'],
  state: ['text', 'view'],
  input: ['text', 'view', 'state'],
  screens: ['text', 'view', 'ui', 'input'],
  lines: ['text', 'view', 'state', 'input'],
};

/** Which modules may use a package. A package that is not listed may be used by `bin` only. */
const PACKAGES: Record<string, string[]> = {
  react: ['components'],
  ink: ['components'],
  'string-width': ['text'],
  pg: ['adapters', 'demo'],
  chdb: ['demo'],
  '@clickhouse/client': ['adapters'],
  '@aws-sdk/client-s3': ['adapters'],
  execa: ['adapters', 'bin'],
};

interface Import {
  file: string;
  from: string;
}

function moduleOf(file: string): string | undefined {
  const [top, second, third] = file.split('/');
  if (file === 'bin/wiring.ts') return 'wiring';
  if (top === 'bin') return second === 'demo' ? 'demo' : 'bin';
  if (top !== 'src') return undefined;
  if (second === 'components') return 'components';
  return third === 'index.ts' ? 'index' : third;
}

const IMPORT =
  /^\s*(?:import|export)\s+(?:type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)|new URL\('(\.[^']+\.ts)'/gm;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, named, dynamic, url]) => ({
    file,
    from: (named ?? dynamic ?? url) as string,
  }));
}

function targetOf({ file, from }: Import): string {
  return normalize(join(dirname(file), from));
}

function breach(one: Import): string | undefined {
  const module = moduleOf(one.file) as string;
  if (one.from.startsWith('node:') || builtinModules.includes(one.from)) return undefined;
  if (!one.from.startsWith('.')) return packageBreach(module, one.from);
  const target = targetOf(one);
  const other = moduleOf(target) ?? target;
  if (other === module) return innerBreach(module, one.file, target);
  return MAY_IMPORT[module]?.includes(other) ? undefined : `${module} may not import ${other}`;
}

function innerBreach(module: string, file: string, target: string): string | undefined {
  if (module === 'features') return featureBreach(file, target);
  return module === 'components' ? layerBreach(file, target) : undefined;
}

function layerBreach(file: string, target: string): string | undefined {
  const [layer, other] = [file, target].map((path) => path.split('/')[2] as string);
  if (layer === undefined || other === undefined || layer === other) return undefined;
  const allowed = CONSOLE_LAYERS[layer];
  return !allowed || allowed.includes(other) ? undefined : `layer ${layer} may not import layer ${other}`;
}

function featureBreach(file: string, target: string): string | undefined {
  const [feature, other] = [file, target].map((path) => path.split('/')[3] as string);
  const order = (name: string | undefined) => {
    const index = FIRST_FEATURES.indexOf(name as string);
    return index < 0 ? FIRST_FEATURES.length : index;
  };
  if (feature === other || order(other) < order(feature)) return undefined;
  if (order(feature) === FIRST_FEATURES.length && order(other) === order(feature)) return undefined;
  return `feature ${feature} may not import feature ${other}`;
}

function packageBreach(module: string, from: string): string | undefined {
  const parts = from.startsWith('@') ? 2 : 1;
  const name = from.split('/').slice(0, parts).join('/');
  const allowed = PACKAGES[name] ?? ['bin'];
  return allowed.includes(module) ? undefined : `${module} may not use the package ${name}`;
}

/** The cycles of a graph, each as the nodes of one strongly connected component (Tarjan). */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) as number);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) as number, low.get(next) as number));
    }
    if (low.get(node) !== index.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    if (component.length > 1 || graph.get(node)?.includes(node)) cycles.push(component);
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return cycles;
}

const files = globSync(['src/**/*.{ts,tsx}', 'bin/**/*.ts'], { cwd: ROOT });
const imports = files.flatMap(importsOf);

function graphOf(name: (file: string) => string): Map<string, string[]> {
  const graph = new Map<string, string[]>(files.map((file) => [name(file), []]));
  for (const one of imports) {
    if (!one.from.startsWith('.')) continue;
    const [from, to] = [name(one.file), name(targetOf(one))];
    if (graph.has(to) && (from !== to || one.file === targetOf(one))) graph.get(from)?.push(to);
  }
  return graph;
}

test('every source file belongs to a module', () => {
  assert.ok(files.length > 50);
  const modules = new Set(Object.keys(MAY_IMPORT));
  assert.deepEqual(
    files.filter((file) => !modules.has(moduleOf(file) ?? '')),
    [],
  );
});

test('no file imports what its module may not', () => {
  const breaches = imports.flatMap((one) => {
    const reason = breach(one);
    return reason ? [`${one.file} imports ${one.from}: ${reason}`] : [];
  });
  assert.deepEqual(breaches, []);
});

test('no file imports itself through others', () => {
  assert.deepEqual(cyclesOf(graphOf((file) => file)), []);
});

test('features and adapters have no cycles among each other', () => {
  const folder = (file: string) => (/^src\/core\/(features|adapters)\//.test(file) ? dirname4(file) : file);
  assert.deepEqual(cyclesOf(graphOf(folder)), []);
});

/** `src/core/features/backup` of any file in it. */
function dirname4(file: string): string {
  return file.split('/').slice(0, 4).join('/');
}

test('a breach is found', () => {
  const cases: [file: string, from: string][] = [
    ['src/core/features/backup/backup.ts', '../../adapters/disk/storage.ts'],
    ['src/core/features/backup/backup.ts', '../restore/restore.ts'],
    ['src/core/features/files/target.ts', '../inspect/show.ts'],
    ['src/core/ports/storage.ts', '../contract/errors.ts'],
    ['src/core/policy/names.ts', '../contract/errors.ts'],
    ['src/core/format/envelope/seal.ts', '../../job/context.ts'],
    ['src/core/features/backup/backup.ts', 'react'],
    ['src/core/features/backup/job.ts', '../../engine/jobs.ts'],
    ['src/components/ui/table.tsx', '../../core/engine/contract.ts'],
    ['src/components/text/line.ts', '../view/types.ts'],
    ['src/components/view/jobs.ts', '../state/session.ts'],
    ['src/components/ui/table.tsx', '../state/session.ts'],
    ['src/components/state/session.ts', '../input/keymap.ts'],
    ['src/components/input/router.ts', '../app.tsx'],
    ['bin/commands/backup.ts', '../../src/core/adapters/disk/storage.ts'],
    ['src/core/adapters/disk/storage.ts', 'left-pad'],
  ];
  for (const [file, from] of cases) assert.notEqual(breach({ file, from }), undefined, `${file}: ${from}`);
});

test('a cycle is found', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b', 'd']],
    ['d', []],
  ]);
  assert.deepEqual(cyclesOf(graph), [['b', 'c']]);
});

test('the engine never touches the terminal', () => {
  const terminal = /process\.(stdout|stderr|stdin|argv|exit)\b|console\.\w+\(/;
  assert.deepEqual(
    files.filter(
      (file) => file.startsWith('src/core/') && terminal.test(readFileSync(join(ROOT, file), 'utf8')),
    ),
    [],
  );
});

/** What may use the file system directly in adapters of local files: it reads only what the system itself writes. */
const READS_PROC = ['state/owner.ts', 'state/process-identity.ts'];

test('files of an installation are reached through opened folders only', () => {
  const users = files.filter((file) => {
    const [, folder, name] = /^src\/core\/adapters\/(disk|state|job-bus)\/(.+)$/.exec(file) ?? [];
    if (folder === undefined || READS_PROC.includes(`${folder}/${name}`)) return false;
    // Types are harmless.
    const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/^import type .*$/gm, '');
    return /\bnode:fs\b|'fs\b/.test(text);
  });
  assert.deepEqual(users, []);
  assert.ok(READS_PROC.every((name) => files.includes(`src/core/adapters/${name}`)));
});

test('every folder of the console is one of its layers', () => {
  const folders = new Set(files.map((file) => /^src\/components\/([^/]+)\//.exec(file)?.[1]));
  folders.delete(undefined);
  assert.deepEqual([...folders].toSorted(), Object.keys(CONSOLE_LAYERS).toSorted());
});

test('no folder of sources is flat and large', () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  assert.deepEqual(
    [...counts].filter(([, count]) => count > 25),
    [],
  );
});
