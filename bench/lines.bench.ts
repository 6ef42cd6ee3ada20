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
import { formatBytes } from '../src/components/view/units.ts';
import { connectClickHouse } from '../src/core/adapters/clickhouse.ts';
import type { LineBlock } from '../src/core/ports/log-database.ts';
import type { Bench } from './run.ts';
import { median } from './tools/median.ts';
import { curlLines, isInstalled, zstdAge } from './tools/plain-programs.ts';
import { measure, PROGRAM, type Run } from './tools/program.ts';

const rows = Number(process.env.BENCH_ROWS ?? '2000000');
const ROUNDS = 5;
const FRACTAL = 'f0000000-0000-4000-8000-000000000001';
const DAY_MS = 86_400_000;
const CURL = 'curl … FORMAT JSONEachRow > /dev/null';

/** What a way took, CPU of its own process where that is ours. */
type Took = Pick<Run, 'seconds' | 'peak_rss'> & { cpu?: number };

interface Way {
  what: string;
  beside: string;
  ours: () => Promise<Took>;
  theirs?: () => Promise<Took>;
}

export const bench: Bench = {
  title: `${rows} rows (BENCH_ROWS) from ClickHouse to lines, from lines to a sealed file, and both, beside plain programs`,
  async run() {
    // As the program does while jobs run.
    v8.setFlagsFromString('--no-incremental-marking');
    const demo = await startDemo({ scale: 0 });
    const folder = await mkdtemp(join(tmpdir(), 'bifract-bench-'));
    try {
      await seed(demo);
      const file = join(folder, 'lines');
      await linesFile(demo, file);
      const ways = [
        readLines(demo, true),
        readLines(demo, false),
        await sealLines(folder, file),
        archive(demo, true),
        archive(demo, false),
      ];
      const table = [];
      for (const way of ways) table.push(await compare(way));
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

/** Rounds alternate, so that both meet the same machine. */
async function compare({ what, beside, ours, theirs }: Way): Promise<Record<string, string>> {
  const [mine, other]: [Took[], Took[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    if (theirs) other.push(await theirs());
    mine.push(await ours());
  }
  const speed = (took: Took[]) => rows / median(took.map(({ seconds }) => seconds));
  const cpu = mine.flatMap((took) => took.cpu ?? []);
  const rss = Math.max(...mine.map(({ peak_rss }) => peak_rss));
  return {
    what,
    'rows/s': speed(mine).toFixed(0),
    beside,
    'its rows/s': other.length > 0 ? speed(other).toFixed(0) : '',
    'of that': other.length > 0 ? `${((100 * speed(mine)) / speed(other)).toFixed(0)} %` : '',
    'our CPU s': cpu.length > 0 ? median(cpu).toFixed(1) : '',
    'peak memory': rss > 0 ? formatBytes(rss) : '',
  };
}

function readLines(demo: Demo, fields: boolean): Way {
  const what = `lines ${fields ? 'with' : 'without'} fields`;
  const ours = () =>
    timed(async () => {
      let count = 0;
      for await (const block of linesOf(demo, fields)) count += block.lines;
      if (count !== rows) throw new Error(`${count} lines`);
    });
  return { what, beside: CURL, ours, theirs: () => curlLines(demo, FRACTAL, fields) };
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

/** Each run in a process of its own, as jobs are: what else is in this one's memory would be gone through with every collection. */
async function sealLines(folder: string, file: string): Promise<Way> {
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(poolThreads()) };
  const once = join(import.meta.dirname, 'seal-once.ts');
  const args = ['--no-incremental-marking', '--import', 'tsx', once, file, folder];
  const ours = async () => {
    const { stdout } = await measure(process.execPath, args, env);
    return { ...(JSON.parse(stdout) as Pick<Took, 'seconds' | 'cpu'>), peak_rss: 0 };
  };
  const { size } = await stat(file);
  const what = `lines of ${formatBytes(size)} to a sealed file`;
  const there = (await isInstalled('zstd', '--version')) && (await isInstalled('age', '--version'));
  if (!there) return { what, beside: 'zstd and age are not installed (apt-get install zstd age)', ours };
  return {
    what,
    beside: 'zstd -3 -T0 | age > file',
    ours,
    theirs: () => zstdAge(file, join(folder, 'theirs')),
  };
}

function archive(demo: Demo, fields: boolean): Way {
  const env = { ...process.env, BIFRACT_DIR: demo.dir };
  const args = [PROGRAM, 'archive', 'bench', '--json', ...(fields ? [] : ['--no-fields'])];
  return {
    what: `bifract archive${fields ? '' : ' --no-fields'}`,
    beside: CURL,
    ours: () => measure(process.execPath, args, env),
    theirs: () => curlLines(demo, FRACTAL, fields),
  };
}

async function timed(work: () => Promise<void>): Promise<Took> {
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - began) / 1000, cpu: (user + system) / 1e6, peak_rss: 0 };
}
