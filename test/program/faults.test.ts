import assert from 'node:assert/strict';
import { appendFile, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CHECK_NAMES, type Outcome } from '../faults/checks.ts';
import { SMALL } from '../faults/clickhouse.ts';
import { isBackup } from '../faults/jobs.ts';
import { planRound, type RoundPlan } from '../faults/plan.ts';
import { runRound } from '../faults/round.ts';
import { World } from '../faults/world.ts';

// Servers of its own: killing them must not affect other tests.
const world = await World.start();
after(() => world.stop());

/** Each round resets an installation and runs several programs. */
const LIMIT = { timeout: 300_000 };

/** A round without faults in which every check has something to check. */
const QUIET: RoundPlan = {
  seed: 1,
  storage: 'disk',
  jobs: ['archive', 'backup', 'delete backup'],
  delay: 0,
  faults: [],
  cleans: true,
  late_row: true,
};
const ROUNDS: RoundPlan[] = [
  {
    ...QUIET,
    jobs: ['backup'],
    faults: [{ name: 'kill -9', moment: bytes('postgres', 'down', 3e6), seed: 1 }],
  },
  {
    ...QUIET,
    jobs: ['restore'],
    faults: [{ name: 'PostgreSQL stopped', moment: bytes('postgres', 'up', 2e6), seed: 2 }],
  },
  {
    ...QUIET,
    // With this seed, no row exists, and all are sent.
    seed: 5,
    jobs: ['restore-archive'],
    faults: [{ name: 'ClickHouse killed', moment: bytes('clickhouse', 'up', 12e6), seed: 3 }],
  },
  {
    ...QUIET,
    storage: 's3',
    jobs: ['backup'],
    faults: [{ name: 'kill -9', moment: bytes('s3', 'up', 3e6), seed: 4 }],
  },
];

test(
  'after a fault in the middle of a job, the program recovers and keeps every promise',
  LIMIT,
  async () => {
    for (const plan of ROUNDS) {
      const { violations, faults, jobs } = await runRound(world, plan);
      assert.deepEqual(violations, [], jobs.join());
      assert.deepEqual(
        faults.map(({ hit }) => hit),
        [true],
        jobs.join(),
      );
      if (jobs.includes('restore-archive')) assert.ok(faults[0]?.while_rows_sent);
    }
  },
);

test('every check finds what it is there for', async () => {
  const { violations } = await runRound(world, QUIET, {
    before_recovery: async ({ dir }, calls) => {
      const backup = calls.find(({ args }) => args[0] === 'backup');
      await rm(join(dir, 'backups', String(backup?.result?.name)));
    },
    before_checks: sabotage,
  });
  const found = new Set(violations.map(({ check }) => check));
  assert.deepEqual(
    CHECK_NAMES.filter((name) => !found.has(name)),
    [],
  );
  const left = violations.filter(({ check }) => check === 'nothing is left').map(({ detail }) => detail);
  assert.equal(left.length, 5, left.join('\n'));
});

test('without faults, no check finds anything', async () => {
  const { violations, outcomes } = await runRound(world, QUIET);
  assert.deepEqual(violations, []);
  assert.ok(outcomes.includes('0'));
});

test('a seed always gives the same plan', () => {
  const options = { root: true };
  for (let seed = 0; seed < 50; seed++) assert.deepEqual(planRound(seed, options), planRound(seed, options));
  const only = planRound(3, { ...options, only: ['rotate', 'adopt', 'S3 killed'] });
  assert.equal(only.faults[0]?.name, 'S3 killed');
  assert.deepEqual(only.jobs, ['rotate', 'adopt']);
});

function bytes(link: 'postgres' | 'clickhouse' | 's3', direction: 'up' | 'down', count: number) {
  return { on: 'bytes', link, direction, bytes: count } as const;
}

/** Breaks everything that the checks look at, after the recovery. */
async function sabotage({ dir, postgres, clickhouse }: World, outcome: Outcome): Promise<void> {
  const { start, tasks, all } = outcome;
  await clickhouse.query('INSERT INTO logs SELECT * FROM logs LIMIT 1');
  await postgres.sql(`DELETE FROM b; DELETE FROM archives WHERE storage_path = '${start.small[0]?.name}'`);
  for (const { name } of outcome.files.filter(isBackup)) await rm(join(dir, name));
  await flip(join(dir, start.big.name));
  await appendFile(join(dir, '.bifract/audit.log'), '{"cut');
  await leave();
  const failing = { env: { POSTGRES_PASSWORD: 'wrong' } };
  const repeated = world.call(tasks[0]?.args ?? [], failing);
  const crashed = world.call(['status'], { wrapper: ['/bin/sh', '-c', 'exit 99'] });
  const hung = world.call(['status'], { wrapper: ['/bin/sh', '-c', 'sleep 60'], limit_ms: 1 });
  const next = await world.call(['backup'], failing).ended;
  const calls = await Promise.all([repeated.ended, crashed.ended, hung.ended]);
  Object.assign(outcome, { next, all: [...all, ...calls] });
}

async function leave(): Promise<void> {
  const { dir, postgres, clickhouse, temp_dir } = world;
  await postgres.sql('CREATE DATABASE bifract_restore_20260101_000000_abcdef', 'postgres');
  await clickhouse.query('CREATE TABLE bifract_restore_x AS logs');
  await writeFile(join(dir, `archives/${SMALL}/.x.partial`), '');
  await writeFile(join(dir, '.bifract/jobs/x.json'), '{}');
  await writeFile(join(temp_dir, 'x'), '');
}

async function flip(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 1000);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, 1000);
}
