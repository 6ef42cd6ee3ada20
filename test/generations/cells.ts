import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveSummary } from '../../src/core/features/archive/contract.ts';
import type { ArchiveRestoreQuery } from '../../src/core/features/archive-restore/contract.ts';
import { resultOfJob } from '../helpers/engine-jobs.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';
import { type GenerationInstallation, OTHER, WEB } from './installation.ts';

/** What the cells of one release share. */
interface State {
  /** Digest of the rows as first written. */
  original: string;
  whole: ArchiveSummary;
  by_day: ArchiveSummary;
}

type Cell = (on: GenerationInstallation, state: State) => Promise<void>;

const HOUR_MS = 3_600_000;
const DAYS = 5;

/** What must work on every release, in this order. */
export const CELLS: Record<string, Cell> = {
  status: async ({ engine, program }) => {
    const health = await engine.health();
    for (const part of ['release', 'postgres', 'clickhouse', 'backups', 'archives', 'key'] as const)
      assert.ok(health[part]?.ok, `${part}: ${JSON.stringify(health[part])}`);
    assert.equal((await program('status')).code, 0);
  },

  schedule: async ({ engine }) => {
    await engine.setSchedule(OTHER, { archive_schedule: 'daily', archive_split: 'day', max_archives: null });
    const other = (await engine.fractals()).find(({ id }) => id === OTHER);
    assert.deepEqual([other?.archive_schedule, other?.archive_split], ['daily', 'day']);
  },

  archive: async ({ engine, rows, digest }, state) => {
    state.original = await digest();
    state.whole = await resultOfJob(engine, { kind: 'archive', fractal_id: WEB, split: 'none' });
    assert.deepEqual([state.whole.log_count, state.whole.children.length], [rows, 1]);
  },

  'archive by day': async ({ engine, rows }, state) => {
    state.by_day = await resultOfJob(engine, { kind: 'archive', fractal_id: WEB, split: 'day' });
    assert.equal(state.by_day.log_count, rows);
    assert.equal(state.by_day.children.length, DAYS);
  },

  list: async ({ engine, program }, { whole, by_day }) => {
    const [fractals, archives, groups] = [
      await engine.fractals(),
      await engine.archives({ fractal_id: WEB }),
      await engine.groups({ fractal_id: WEB }),
    ];
    assert.ok(fractals.some(({ name }) => name === 'web'));
    assert.deepEqual(
      archives.map(({ status, fractal_name }) => [status, fractal_name]),
      Array(1 + DAYS).fill(['completed', 'web']),
    );
    assert.deepEqual(groups.map(({ id }) => id).sort(), [whole.group_id, by_day.group_id].sort());
    for (const what of ['fractals', 'archives']) assert.equal((await program('list', what)).code, 0, what);
  },

  browse: async ({ engine, rows }, { whole }) => {
    const browser = await engine.browse(String(whole.archive_id));
    const [first, last] = [...(await browser.read(0, 1)), ...(await browser.read(rows - 1, 1))];
    await browser.close();
    assert.equal(browser.rows, rows);
    assert.ok(first?.fields && Object.keys(JSON.parse(first.fields)).length > 1);
    assert.ok(String(first.ts) < String(last?.ts));
    assert.ok(last && last.raw.length > 10, 'a recent row has its original line');
  },

  search: async ({ engine, rows }, { whole, by_day }) => {
    const hits = async (targets: string[]) => {
      const found = await Array.fromAsync(engine.search({ targets, pattern: { text: 'GET' } }));
      return found.map(({ line }) => String(line)).sort();
    };
    const found = await hits([String(whole.archive_id)]);
    assert.ok(found.length > 0 && found.length < rows, `${found.length} hits`);
    assert.deepEqual(await hits(by_day.children.map(({ archive_id }) => archive_id)), found);
  },

  verify: async ({ engine }) => {
    const { files, proven, items } = await resultOfJob(engine, { kind: 'verify', targets: 'all' });
    assert.deepEqual([files, proven], [1 + DAYS, 1 + DAYS], JSON.stringify(items.filter(({ ok }) => !ok)));
  },

  coverage: async ({ engine, rows }) => {
    const { periods, unprotected_rows } = await engine.coverage(WEB);
    assert.deepEqual([periods.length, unprotected_rows], [DAYS, 0]);
    assert.equal(
      periods.reduce((sum, period) => sum + period.rows, 0),
      rows,
    );
    assert.equal((await engine.coverage(OTHER)).unprotected_rows, 100);
  },

  'run-due': async ({ engine, program }) => {
    assert.deepEqual(
      (await engine.planDue()).map(({ fractal_id, action }) => [fractal_id, action]),
      [[OTHER, 'archive']],
    );
    const { code, last } = await program('run-due');
    assert.deepEqual([code, last.result?.archived], [0, 1], JSON.stringify(last));
    assert.equal((await resultOfJob(engine, { kind: 'run-due' })).archived, 0);
    assert.ok(Number((await engine.coverage(OTHER)).unprotected_rows) < 100);
  },

  'restore-archive': async (on, { whole, original }) => {
    await on.clear(`fractal_id = '${WEB}'`);
    const { code, last } = await on.program('restore-archive', String(whole.archive_id), '--yes');
    assert.equal(code, 0, JSON.stringify(last));
    assert.equal(last.result?.rows_added, on.rows);
    await isOriginal(on, original);
  },

  repeated: async (on, { whole, by_day, original }) => {
    for (const source of [whole.archive_id, by_day.group_id])
      assert.deepEqual(await restore(on, { source: String(source) }), [0, on.rows]);
    await isOriginal(on, original);
  },

  window: async (on, { by_day, original }) => {
    const [from, to] = middle(on);
    const inside = `timestamp >= parseDateTime64BestEffort('${from}', 3) AND timestamp < parseDateTime64BestEffort('${to}', 3)`;
    await on.clear(`fractal_id = '${WEB}' AND ${inside}`);
    assert.notEqual(await on.digest(), original);
    const [added] = await restore(on, { source: String(by_day.group_id), from, to });
    assert.ok(added && added < on.rows);
    await isOriginal(on, original);
  },

  replace: async (on, { whole, original }) => {
    const [from, to] = middle(on);
    const wrong = `INSERT INTO logs (timestamp, log_id, fractal_id) SELECT parseDateTime64BestEffort('${from}', 3) + number, 'wrong', '${WEB}' FROM numbers(3)`;
    await on.services.ch(wrong);
    assert.notEqual(await on.digest(), original);
    await restore(on, { source: String(whole.archive_id), replace: true, from, to });
    await isOriginal(on, original);
    await on.services.ch(wrong);
    await restore(on, { source: String(whole.archive_id), replace: true });
    await isOriginal(on, original);
  },

  'kill archive': async (on) => {
    const args = ['archive', 'web', '--split', 'day'];
    await killed(on, args, { what: 'reading', matches: (sql) => sql.endsWith('FORMAT Native'), nth: 4 });
    const { code, last } = await on.program(...args);
    assert.equal(code, 0, JSON.stringify(last));
    assert.equal(last.result?.continued, true);
    const group = String(last.result?.group_id);
    const files = (await on.engine.archives({ fractal_id: WEB })).filter(
      ({ group_id }) => group_id === group,
    );
    assert.deepEqual(
      files.map(({ status }) => status),
      Array(DAYS).fill('completed'),
    );
    assert.equal(
      files.reduce((sum, { log_count }) => sum + log_count, 0),
      on.rows,
    );
  },

  'kill restore': async (on, { by_day, original }) => {
    const args = ['restore-archive', String(by_day.group_id), '--yes'];
    const attaches = (sql: string) => sql.includes('ALTER TABLE logs ATTACH PARTITION ID ');
    const counts = (sql: string) => /^(DELETE FROM|INSERT INTO) logs_histogram/.test(sql);
    const points: KillPoint[] = [
      { what: 'loading', matches: (sql) => /^INSERT INTO bifract_restore/.test(sql), nth: 2 },
      { what: 'attaching', matches: attaches },
      { what: 'after attaching', matches: attaches, forward: true },
      ...(on.generation < 'C' ? [] : [{ what: 'counting', matches: counts }]),
      ...(on.generation < 'C' ? [] : [{ what: 'counting, half of it', matches: counts, nth: 2 }]),
    ];
    for (const point of points) {
      const { what } = point;
      await on.clear(`fractal_id = '${WEB}'`);
      await killed(on, args, point);
      const { code, last } = await on.program(...args);
      assert.equal(code, 0, `${what}: ${JSON.stringify(last)}`);
      await isOriginal(on, original, `killed while ${what}`);
    }
    const left = await on.services.ch(
      "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE 'bifract_restore%'",
    );
    assert.equal(left, '0\n');
  },

  delete: async (on, { whole }) => {
    const { engine, dir } = on;
    const plan = await engine.planDelete([{ kind: 'archive', id: String(whole.archive_id) }]);
    const { deleted } = await resultOfJob(engine, { kind: 'delete', plan });
    assert.equal(deleted, 1, JSON.stringify(plan.items));
    assert.ok((await engine.archives()).every(({ id }) => id !== whole.archive_id));
    const files = await readdir(join(dir.dir, 'archives'), { recursive: true });
    assert.ok(files.every((name) => !String(whole.storage_path).endsWith(name)));
  },

  backup: async ({ engine, program }) => {
    const { code, last } = await program('backup');
    assert.equal(code, 0, JSON.stringify(last));
    assert.deepEqual(
      (await engine.backups()).map(({ name }) => name),
      [last.result?.name],
    );
  },

  drill: async ({ engine }) => {
    const [backup] = await engine.backups();
    const plan = await engine.planRestore({ file: String(backup?.name), target: { kind: 'drill' } });
    const { compared } = await resultOfJob(engine, { kind: 'drill', plan });
    assert.equal(compared, true);
  },

  restore: async ({ engine, program }, { by_day }) => {
    const [backup] = await engine.backups();
    const before = await engine.archives();
    const plan = await engine.planDelete([{ kind: 'group', id: String(by_day.group_id) }]);
    await resultOfJob(engine, { kind: 'delete', plan });
    const { code, last } = await program(
      'restore',
      String(backup?.name),
      '--yes',
      '--end-sessions',
      '--no-safety-backup',
    );
    assert.equal(code, 0, JSON.stringify(last));
    const records = await until(
      () => engine.archives().catch(() => undefined),
      LIMIT_MS,
      'the records are back',
    );
    assert.deepEqual(records, before);
    assert.equal((await engine.fractals()).find(({ id }) => id === OTHER)?.archive_schedule, 'daily');
  },
};

/** A window in the middle that starts and ends within an hour. */
function middle({ from }: GenerationInstallation): [from: string, to: string] {
  const at = (hours: number) => new Date(from.getTime() + hours * HOUR_MS + 90_500).toISOString();
  return [at(30), at(67)];
}

/** Restores with the engine; returns the rows added, and the rows that were there. */
async function restore(
  { engine }: GenerationInstallation,
  query: ArchiveRestoreQuery,
): Promise<[number, number]> {
  const plan = await engine.planArchiveRestore(query);
  assert.deepEqual(plan.obstacles, []);
  const { rows_added, rows_there } = await resultOfJob(engine, { kind: 'restore-archive', plan });
  return [rows_added, rows_there];
}

async function isOriginal(on: GenerationInstallation, original: string, what = 'restored'): Promise<void> {
  assert.equal(await on.digest(), original, `${what}: rows`);
  assert.equal(await on.differentCounts(), 0, `${what}: minutes with another count`);
}

interface KillPoint {
  what: string;
  matches: (sql: string) => boolean;
  /** Which of these statements; default: the first. */
  nth?: number;
  /** Whether ClickHouse gets it; the program never gets the answer. */
  forward?: boolean;
}

/** Kills the program at one of its statements. */
async function killed(
  { relay, bifract }: GenerationInstallation,
  args: string[],
  { what, matches, nth = 1, forward }: KillPoint,
): Promise<void> {
  let seen = 0;
  const { reached } = relay.holdNext((sql) => matches(sql) && ++seen === nth, forward);
  const { child, ended } = bifract(...args, '--json');
  const early = ended.then(({ code, stderr }) => {
    throw new Error(`${what}: the program ended with ${code} before statement ${nth}: ${stderr}`);
  });
  await Promise.race([reached, early]);
  early.catch(() => undefined);
  child.kill('SIGKILL');
  assert.equal((await ended).signal, 'SIGKILL');
}
