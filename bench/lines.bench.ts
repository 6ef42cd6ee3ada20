import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import v8 from 'node:v8';
import { type Demo, startDemo } from '../bin/demo/installation.ts';
import { queryPostgres } from '../bin/demo/query.ts';
import { seedRows } from '../bin/demo/seed-rows.ts';
import { LOGS_DATABASE } from '../bin/demo/services.ts';
import { poolThreads } from '../bin/pool.ts';
import { connectClickHouse } from '../src/core/adapters/clickhouse/log-database.ts';
import type { LineBlock } from '../src/core/ports/log-database.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { median } from './tools/median.ts';
import { curlLines, isInstalled, nativeZstdAge, zstdAge } from './tools/plain-programs.ts';
import { cpuOf, measure, PROGRAM, type Run } from './tools/program.ts';

const rows = Number(process.env.BENCH_ROWS ?? '2000000');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
/** Queries of an archive at a time. */
const STREAMS = ['1', '2', '4'];
const FRACTAL = 'f0000000-0000-4000-8000-000000000001';
const DAY_MS = 86_400_000;
const CURL = 'curl … FORMAT JSONEachRow > /dev/null';

/** Time, memory and CPU of a run. */
type Usage = Pick<Run, 'seconds' | 'peak_rss' | 'cpu'>;

interface Comparison {
  what: string;
  baseline: string;
  bifract: () => Promise<Usage>;
  plain?: () => Promise<Usage>;
}

export const bench: Bench = {
  title: `${rows} rows (BENCH_ROWS) from ClickHouse to lines, from lines to a sealed file, and both, compared with plain programs`,
  async run() {
    // As bifract does while jobs run.
    v8.setFlagsFromString('--no-incremental-marking');
    const demo = await startDemo({ generation: 'A', scale: 0 });
    const folder = await mkdtemp(join(tmpdir(), 'bifract-bench-'));
    try {
      await seed(demo);
      const file = join(folder, 'lines');
      await linesFile(demo, file);
      const comparisons = [readLines(demo, true), readLines(demo, false), await sealLines(folder, file)];
      const table = [];
      for (const comparison of comparisons) table.push(await compare(comparison));
      for (const fields of [true, false]) table.push(...(await archives(demo, folder, fields)));
      return table;
    } finally {
      await rm(folder, { recursive: true, force: true });
      await demo.stop();
    }
  },
};

async function seed(demo: Demo): Promise<void> {
  await queryPostgres(demo.postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'bench')`);
  const to = new Date();
  const from = new Date(to.getTime() - 30 * DAY_MS);
  await seedRows(demo.clickhouse, LOGS_DATABASE, {
    fractal_id: FRACTAL,
    kind: 'mixed',
    rows,
    seed: 7,
    from,
    to,
  });
}

/** Rounds alternate, so that both run under the same load. */
async function compare({ what, baseline, bifract, plain }: Comparison): Promise<Record<string, string>> {
  const [own, other]: [Usage[], Usage[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    if (plain) other.push(await plain());
    own.push(await bifract());
  }
  const speed = (runs: Usage[]) => rows / median(runs.map(({ seconds }) => seconds));
  const rss = Math.max(...own.map(({ peak_rss }) => peak_rss));
  return {
    what,
    'rows/s': speed(own).toFixed(0),
    baseline,
    'baseline rows/s': other.length > 0 ? speed(other).toFixed(0) : '',
    'of baseline': other.length > 0 ? `${((100 * speed(own)) / speed(other)).toFixed(0)} %` : '',
    'CPU s': median(own.map(({ cpu }) => cpu)).toFixed(1),
    'peak memory': rss > 0 ? formatBytes(rss) : '',
  };
}

function readLines(demo: Demo, fields: boolean): Comparison {
  const what = `lines ${fields ? 'with' : 'without'} fields`;
  const bifract = () =>
    timed(async () => {
      let count = 0;
      for await (const block of linesOf(demo, fields)) count += block.lines;
      if (count !== rows) throw new Error(`${count} lines`);
    });
  return { what, baseline: CURL, bifract, plain: () => curlLines(demo, FRACTAL, fields) };
}

async function* linesOf(demo: Demo, fields: boolean): AsyncGenerator<LineBlock> {
  const { url, user, password } = demo.clickhouse;
  const logs = await connectClickHouse({ url, user, password, database: LOGS_DATABASE, cluster: undefined });
  try {
    yield* logs.lines({ fractal_id: FRACTAL }, { fields });
  } finally {
    await logs.close();
  }
}

async function linesFile(demo: Demo, file: string): Promise<void> {
  async function* bytesOf(): AsyncGenerator<Buffer> {
    for await (const { bytes } of linesOf(demo, true)) yield Buffer.from(bytes);
  }
  await pipeline(bytesOf, createWriteStream(file));
}

/** Runs in its own process, as jobs do: other data in memory would slow down garbage collection. */
async function sealLines(folder: string, file: string): Promise<Comparison> {
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(poolThreads()) };
  const script = join(import.meta.dirname, 'seal-once.ts');
  const args = ['--no-incremental-marking', '--import', 'tsx', script, file, folder];
  const bifract = async () => {
    const { stdout } = await measure(process.execPath, args, env);
    return { ...(JSON.parse(stdout) as Pick<Usage, 'seconds' | 'cpu'>), peak_rss: 0 };
  };
  const { size } = await stat(file);
  const what = `lines of ${formatBytes(size)} to a sealed file`;
  const installed = (await isInstalled('zstd', '--version')) && (await isInstalled('age', '--version'));
  if (!installed)
    return { what, baseline: 'skipped: zstd and age are not installed (apt-get install zstd age)', bifract };
  return {
    what,
    baseline: 'zstd -3 -T0 | age > file',
    bifract,
    plain: () => zstdAge(file, join(folder, 'plain')),
  };
}

/** A way to keep the rows, and its runs, with the CPU seconds that ClickHouse took meanwhile. */
interface Contestant {
  what: string;
  run: () => Promise<Run>;
  runs: (Run & { server_cpu: number })[];
}

/** Complete archives with one and several queries at a time, what people use instead, and how they compare. */
async function archives(demo: Demo, folder: string, fields: boolean): Promise<Record<string, string>[]> {
  const env = { ...process.env, BIFRACT_DIR: demo.dir };
  const contestant = (what: string, run: () => Promise<Run>): Contestant => ({ what, run, runs: [] });
  const text = contestant(`curl … FORMAT JSONEachRow${fields ? '' : ', no fields'}`, () =>
    curlLines(demo, FRACTAL, fields),
  );
  const native = contestant('curl … FORMAT Native | zstd -3 -T0 | age', () =>
    nativeZstdAge(demo, join(folder, 'native')),
  );
  const installed = (await isInstalled('zstd', '--version')) && (await isInstalled('age', '--version'));
  const plain = fields && installed ? [text, native] : [text];
  const own = STREAMS.map((streams) => {
    const args = ['archive', 'bench', '--parallel', streams, '--json', ...(fields ? [] : ['--no-fields'])];
    return contestant(`bifract ${args.filter((arg) => arg !== '--json').join(' ')}`, () =>
      measure(process.execPath, [PROGRAM, ...args], env),
    );
  });
  for (let round = 0; round < ROUNDS; round++)
    for (const { run, runs } of [...plain, ...own]) {
      const before = await cpuOf(demo.clickhouse.pid);
      const result = await run();
      runs.push({ ...result, server_cpu: (await cpuOf(demo.clickhouse.pid)) - before });
    }
  return [...plain, ...own].map((one) => archiveRow(one, text, native));
}

function archiveRow(
  { what, runs }: Contestant,
  text: Contestant,
  native: Contestant,
): Record<string, string> {
  const seconds = (of: Contestant['runs']) => median(of.map((run) => run.seconds));
  const cpu = (of: Contestant['runs']) => median(of.map((run) => run.cpu + run.server_cpu));
  const speedOf = (of: Contestant) =>
    of.runs.length > 0 ? `${(seconds(of.runs) / seconds(runs)).toFixed(2)} x` : '';
  return {
    what,
    'rows/s': (rows / seconds(runs)).toFixed(0),
    'speed of curl': speedOf(text),
    'speed of Native': speedOf(native),
    'CPU s': median(runs.map((run) => run.cpu)).toFixed(1),
    'server CPU s': median(runs.map((run) => run.server_cpu)).toFixed(1),
    'all CPU of Native': native.runs.length > 0 ? `${(cpu(runs) / cpu(native.runs)).toFixed(2)} x` : '',
    'peak memory': formatBytes(Math.max(...runs.map(({ peak_rss }) => peak_rss))),
  };
}

async function timed(work: () => Promise<void>): Promise<Usage> {
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6, peak_rss: 0 };
}
