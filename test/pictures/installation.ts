import { mkdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Demo, startDemo } from '../../bin/demo/installation.ts';
import { queryPostgres } from '../../bin/demo/query.ts';
import { ndjson, run } from '../helpers/program.ts';

const DAY_MS = 86_400_000;
const CLOCK = join(import.meta.dirname, '../faults/clock-jump.mjs');
/** The same fingerprint in every picture. */
const KEY = 'b1f0'.repeat(16);
/** Rows for an archive that runs for some seconds. */
const SCALE = 2;

/** An installation that has been used for a month, under a path that is the same every time. */
export interface UsedInstallation extends AsyncDisposable {
  dir: string;
  env: Record<string, string>;
}

/** Days before today, at midnight UTC, as the command line takes it. */
function day(ago: number): string {
  return new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);
}

/** What was archived when: a fractal, from and to which day before today, and how it was split. */
const ARCHIVES: readonly [fractal: string, from: number, to: number, split: string][] = [
  ['default', 30, 14, 'week'],
  ['default', 14, 0, 'week'],
  ['payments-json', 30, 10, 'none'],
  ['payments-json', 10, 1, 'none'],
  ['windows-events', 30, 12, 'none'],
  // Two days are missing: a gap.
  ['web-prod', 30, 9, 'day'],
  ['web-prod', 7, 1, 'day'],
];

/** Ages of the backups, days. */
const BACKUPS = [27, 20, 13, 6, 3, 2, 1, 0.3];

/** Age of the first backup that has some comments: what a restore of an older one would lose. */
const COMMENTED = 2;

/** Starts the demo and gives it a past: backups and archives of the last month, one verified and test-restored. */
export async function startUsedInstallation(): Promise<UsedInstallation> {
  const demo = await startDemo({ generation: 'A', scale: SCALE });
  const home = join(tmpdir(), 'bifract-pictures');
  const dir = join(home, 'bifract');
  const env = { BIFRACT_BACKUP_ENCRYPTION_KEY: KEY };
  const dispose = async () => {
    await rm(home, { recursive: true, force: true });
    await demo.stop();
  };
  try {
    await mkdir(home);
    await symlink(demo.dir, dir);
    await makePast(demo, (args, more) => must(['--dir', dir, ...args], { ...env, ...more }));
    return { dir, env, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

type Run = (args: string[], env?: Record<string, string>) => Promise<object[]>;

async function must(args: string[], env: Record<string, string>): Promise<object[]> {
  const ended = await run([...args, '--json'], env);
  if (ended.code !== 0) throw new Error(`${args.join(' ')}: ${ended.stderr}`);
  return ndjson(ended);
}

async function makePast(demo: Demo, bifract: Run): Promise<void> {
  for (const [fractal, from, to, split] of ARCHIVES) {
    await bifract(['archive', fractal, '--from', day(from), '--to', day(to), '--split', split]);
    for (const table of ['archives', 'archive_groups']) {
      // Made when their last day had ended.
      const statement = `UPDATE ${table} SET created_at = now() - $1 * interval '1 day', archive_type = 'scheduled'
        WHERE created_at > now() - interval '10 minutes'`;
      await queryPostgres(demo.postgres, statement, [String(to)]);
    }
  }
  const some = '(SELECT * FROM comments ORDER BY id LIMIT 40)';
  const [later] = await queryPostgres<{ rows: string }>(
    demo.postgres,
    `WITH gone AS (DELETE FROM comments WHERE id IN (SELECT id FROM ${some} c) RETURNING *)
     SELECT json_agg(gone)::text AS rows FROM gone`,
  );
  for (const age of BACKUPS) {
    if (age === COMMENTED) {
      const statement = 'INSERT INTO comments SELECT * FROM json_populate_recordset(null::comments, $1)';
      await queryPostgres(demo.postgres, statement, [later?.rows]);
    }
    const clock = { NODE_OPTIONS: `--import=${CLOCK}`, FAULT_CLOCK: `0:${-age * DAY_MS}` };
    await bifract(['backup'], clock);
  }
  const [newest, second] = (await bifract(['list', 'backups'])) as { name: string }[];
  await bifract(['restore', second?.name ?? '', '--drill', '--yes']);
  await bifract(['verify', newest?.name ?? '']);
}
