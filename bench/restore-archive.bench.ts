import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Generation } from '../bin/demo/generations.ts';
import { type Demo, startDemo } from '../bin/demo/installation.ts';
import { queryClickhouse, queryPostgres } from '../bin/demo/query.ts';
import { seedRows } from '../bin/demo/seed-rows.ts';
import { LOGS_DATABASE } from '../bin/demo/services.ts';
import { UNLIMITED } from '../src/core/adapters/clickhouse/queries.ts';
import { LOAD_SETTINGS, loadQuery } from '../src/core/adapters/clickhouse/restore-queries.ts';
import { ClickHouseSession } from '../src/core/adapters/clickhouse/session.ts';
import { readLogsShape } from '../src/core/adapters/clickhouse/shape.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { median } from './tools/median.ts';
import { isInstalled, newRecipient } from './tools/plain-programs.ts';
import { measure, PROGRAM, type Run } from './tools/program.ts';

const ROWS = Number(process.env.BENCH_ROWS ?? 1_000_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const RELEASES = (process.env.BENCH_GENERATIONS ?? 'A,H').split(',') as Generation[];
const FRACTAL = 'f0000000-0000-4000-8000-000000000001';
const DAYS = 60;
/** `/proc/PID/stat` counts in these. */
const TICKS_PER_SECOND = 100;
const FLATTENED = 'output_format_native_use_flattened_dynamic_and_json_serialization=1';

/** A run, and the CPU seconds that ClickHouse took meanwhile. */
type Measured = Run & { server_cpu: number };

export const bench: Bench = {
  title: `restore of an archive of ${ROWS} rows (BENCH_ROWS) over ${DAYS} days, compared with INSERTs by curl: of the same lines, and of the same rows in Native format from a file sealed by age; medians of ${ROUNDS} alternating rounds`,
  async run() {
    const rows: Record<string, string>[] = [];
    for (const generation of RELEASES) rows.push(...(await release(generation)));
    return rows;
  },
};

async function release(generation: Generation): Promise<Record<string, string>[]> {
  const demo = await startDemo({ generation, scale: 0 });
  try {
    const ch = (sql: string) => queryClickhouse(demo.clickhouse, LOGS_DATABASE, sql);
    const env = { ...process.env, BIFRACT_DIR: demo.dir };
    const bifract = (...args: string[]) =>
      measure(process.execPath, [PROGRAM, ...args, '--yes', '--json'], env);
    await seed(demo, generation);
    const { stdout } = await bifract('archive', 'bench');
    const [, path = ''] = /"storage_path":"([^"]+)"/.exec(stdout) ?? [];
    const lines = join(demo.dir, 'lines.ndjson');
    const extract = '"$0" "$1" extract "$2" | tail -n +2 > "$3"';
    await promisify(execFile)('/bin/sh', ['-c', extract, process.execPath, PROGRAM, path, lines], { env });
    const sealed = await sealNative(demo);
    const text: Measured[] = [];
    const native: Measured[] = [];
    const restore: Measured[] = [];
    const server = <T extends Run>(run: () => Promise<T>) => withServerCpu(demo, run);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [runs, run] of [
        [text, () => insertLines(demo, lines)],
        [native, sealed?.insert],
      ] as const) {
        await ch('DROP TABLE IF EXISTS plain SYNC');
        await ch('CREATE TABLE plain AS logs');
        if (run) runs.push(await server(run));
      }
      await ch('TRUNCATE TABLE logs');
      restore.push(await server(() => bifract('restore-archive', path)));
    }
    const again = await server(() => bifract('restore-archive', path));
    const { size } = await stat(lines);
    return [
      row(`${generation}: curl INSERT of the lines`, text, size),
      row(`${generation}: age -d | zstd -d | curl INSERT FORMAT Native`, native, size, { text }),
      row(`${generation}: bifract restore-archive`, restore, size, { text, native }),
      row(`${generation}: bifract restore-archive again, all rows present`, [again], size),
    ];
  } finally {
    await demo.stop();
  }
}

async function seed(demo: Demo, generation: Generation): Promise<void> {
  await queryPostgres(demo.postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'bench')`);
  const from = new Date('2026-01-10');
  const to = new Date(from.getTime() + DAYS * 86_400_000);
  const what = { fractal_id: FRACTAL, kind: 'mixed', rows: ROWS, seed: 7, from, to, generation } as const;
  await seedRows(demo.clickhouse, LOGS_DATABASE, what);
}

/** Adds what ClickHouse takes, which may include merges of earlier rounds. */
async function withServerCpu<T extends Run>(
  demo: Demo,
  run: () => Promise<T>,
): Promise<T & { server_cpu: number }> {
  const before = await serverCpu(demo);
  const result = await run();
  return { ...result, server_cpu: (await serverCpu(demo)) - before };
}

async function serverCpu({ clickhouse: { pid } }: Demo): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user = 0, system = 0] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / TICKS_PER_SECOND;
}

async function insertLines(demo: Demo, lines: string): Promise<Run> {
  const { url, user, password } = demo.clickhouse;
  const session = await ClickHouseSession.open({
    url,
    user,
    password,
    database: LOGS_DATABASE,
    cluster: undefined,
  });
  const shape = await readLogsShape(session);
  await session.close();
  const { sql, params } = loadQuery('plain', FRACTAL, shape);
  const address = new URL(url);
  const all = { ...UNLIMITED, ...LOAD_SETTINGS, database: LOGS_DATABASE, query: sql };
  for (const [name, value] of Object.entries(all)) address.searchParams.set(name, String(value));
  for (const [name, value] of Object.entries(params))
    address.searchParams.set(`param_${name}`, String(value));
  return measure('curl', ['-sSf', ...login(demo), '--data-binary', `@${lines}`, address.href]);
}

function login({ clickhouse: { user, password } }: Demo): string[] {
  return ['-H', `X-ClickHouse-User: ${user}`, '-H', `X-ClickHouse-Key: ${password}`, '-H', 'Expect:'];
}

/** The rows as a sysadmin would keep them: ClickHouse's own format, compressed and encrypted. */
async function sealNative(demo: Demo): Promise<{ insert: () => Promise<Run> } | undefined> {
  if (!(await isInstalled('zstd', '--version')) || !(await isInstalled('age', '--version'))) return undefined;
  const file = join(demo.dir, 'rows.native.zst.age');
  const key = `${file}.key`;
  await rm(file, { force: true });
  const address = (query: string, settings = '') =>
    `${demo.clickhouse.url}?database=${LOGS_DATABASE}&${settings}&query=${encodeURIComponent(query)}`;
  const save =
    'url=$1 key=$2 file=$3; shift 3; curl -sSf "$@" "$url" -d "" | zstd -q -3 -T0 -c | age -r "$key" -o "$file"';
  await measure('bash', [
    '-c',
    save,
    'bash',
    address('SELECT * FROM logs FORMAT Native', FLATTENED),
    await newRecipient(key),
    file,
    ...login(demo),
  ]);
  const load =
    'url=$1 key=$2 file=$3; shift 3; age -d -i "$key" "$file" | zstd -q -d -c | curl -sSf "$@" -H "Transfer-Encoding: chunked" -X POST -T - "$url"';
  const insert = () =>
    measure('bash', [
      '-o',
      'pipefail',
      '-c',
      load,
      'bash',
      address('INSERT INTO plain FORMAT Native', 'async_insert=0&max_partitions_per_insert_block=0'),
      key,
      file,
      ...login(demo),
    ]);
  return { insert };
}

function row(
  what: string,
  runs: Measured[],
  bytes: number,
  compared: { text?: Measured[]; native?: Measured[] } = {},
): Record<string, string> {
  if (runs.length === 0) return { what: `${what}: skipped, zstd and age are not installed` };
  const speed = (of: Measured[]) => ROWS / median(of.map(({ seconds }) => seconds));
  const cpu = (of: Measured[]) => median(of.map(({ server_cpu }) => server_cpu));
  const { text = [], native = [] } = compared;
  return {
    what,
    seconds: (ROWS / speed(runs)).toFixed(1),
    'rows/s': Math.round(speed(runs)).toLocaleString('en'),
    'lines/s': formatBytes((bytes / ROWS) * speed(runs)),
    'server CPU s': cpu(runs).toFixed(1),
    'peak memory': formatBytes(Math.max(...runs.map(({ peak_rss }) => peak_rss))),
    'speed of lines': text.length > 0 ? `${(speed(runs) / speed(text)).toFixed(2)} x` : '',
    'server CPU of lines': text.length > 0 ? `${((100 * cpu(runs)) / cpu(text)).toFixed(0)} %` : '',
    'speed of Native': native.length > 0 ? `${(speed(runs) / speed(native)).toFixed(2)} x` : '',
  };
}
