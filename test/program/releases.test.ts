import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { queryPostgres } from '../../bin/demo/query.ts';
import type { ArchiveRecord, Coverage, DueItem, Fractal, RunDueSummary } from '../../src/core/index.ts';
import { type Ended, ndjson, run } from '../helpers/program.ts';
import { type ReleaseInstallation, releaseInstallation } from '../helpers/release.ts';
import { testServices } from '../helpers/services.ts';

const DAY = 86_400_000;
const NOON = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
const WEB = 'c0000000-0000-4000-8000-000000000001';
const DNS = 'c0000000-0000-4000-8000-000000000002';

const services = await testServices();

/** Five rows on each of the three days before today. */
async function fill({ ch, sql }: ReleaseInstallation, raw_log: boolean): Promise<void> {
  for (const [id, name] of [
    [WEB, 'web'],
    [DNS, 'dns'],
  ]) {
    await sql('INSERT INTO fractals (id, name) VALUES ($1, $2)', [id, name]);
    for (const days of [1, 2, 3])
      await ch(
        `INSERT INTO logs (timestamp, log_id, fields, fractal_id${raw_log ? ', raw_log' : ''})
         SELECT fromUnixTimestamp64Milli(toInt64(${NOON - days * DAY}) + toInt64(number)), toString(number),
           '{"user":"ann"}', '${id}'${raw_log ? `, concat('line ', toString(number))` : ''} FROM numbers(5)`,
      );
  }
}

async function good(ended: Promise<Ended>): Promise<Ended> {
  const { code, stderr, stdout } = await ended;
  assert.equal(code, 0, `${stderr}${stdout}`);
  return ended;
}

/** The program on an installation. */
function programOn({ dir }: ReleaseInstallation) {
  const call = (...args: string[]) => good(run([...args, '--dir', dir]));
  const lines = async <Line>(...args: string[]) => ndjson<Line>(await call(...args, '--json'));
  const result = async <Result>(...args: string[]): Promise<Result> => {
    const last = (await lines<{ event: string; result: Result }>(...args)).at(-1);
    assert.equal(last?.event, 'job:done');
    return last.result;
  };
  const archives = (...args: string[]) => lines<ArchiveRecord>('list', 'archives', ...args);
  return { call, lines, result, archives, run: (...args: string[]) => run([...args, '--dir', dir]) };
}

async function states(program: ReturnType<typeof programOn>, fractal: string): Promise<string[]> {
  const [found] = await program.lines<Coverage>('coverage', fractal);
  return found?.periods.map(({ state }) => state) ?? [];
}

test('a server without archives of its own: everything works with our own records', async () => {
  const installed = await releaseInstallation(services, 'H');
  await fill(installed, false);
  const program = programOn(installed);
  const { call, lines, result, archives } = program;

  assert.deepEqual(await archives(), []);
  assert.deepEqual(await states(program, 'web'), ['clickhouse', 'clickhouse', 'clickhouse']);
  await call('schedule', 'web', '--every', 'daily', '--split', 'day', '--keep', '1');
  const [web] = (await lines<Fractal>('list', 'fractals')).filter(({ name }) => name === 'web');
  assert.deepEqual([web?.archive_schedule, web?.archive_split, web?.max_archives], ['daily', 'day', 1]);
  const due = await lines<DueItem>('run-due', '--dry-run');
  assert.deepEqual(
    due.map(({ fractal_name, action }) => [fractal_name, action]),
    [['web', 'archive']],
  );
  const first = await result<RunDueSummary>('run-due');
  assert.deepEqual([first.archived, first.rows, first.deleted], [1, 15, 0]);
  assert.deepEqual(await states(program, 'web'), ['both', 'both', 'both']);
  assert.equal((await result<RunDueSummary>('run-due')).archived, 0);
  await installed.sql(`UPDATE bifract_console.archive_groups SET created_at = created_at - interval '1 day'`);
  const second = await result<RunDueSummary>('run-due');
  assert.deepEqual([second.archived, second.deleted], [1, 1]);
  assert.equal((await archives('--fractal', 'web')).length, 3);

  await call('archive', 'dns', '--split', 'none');
  await call('verify', '--all');
  const [dns] = await archives('--fractal', 'dns');
  assert.equal(dns?.log_count, 15);
  await call('backup');
  const [backup] = await lines<{ name: string }>('list', 'backups');
  await call('restore', backup?.name ?? '', '--drill');

  await call('archive', 'dns', '--split', 'day');
  const plan = await call('restore', backup?.name ?? '', '--dry-run');
  assert.match(plan.stdout.toString(), /bifract_console\.archives +4 +7/);
  assert.match(plan.stdout.toString(), /bifract adopt/);
  await call('restore', backup?.name ?? '', '--yes');
  assert.equal((await archives()).length, 4);
  assert.equal((await lines('list', 'orphans')).length, 3);
  await call('adopt', '--yes');
  assert.deepEqual([(await archives()).length, await lines('list', 'orphans')], [7, []]);

  await call('key', 'rotate', '--yes');
  await call('verify', '--all');
  const restored = await result<{ rows_added: number }>('restore-archive', dns?.id ?? '', '--yes');
  assert.equal(restored.rows_added, 0, 'all rows are there');

  await installed.sql('DELETE FROM fractals WHERE id = $1', [DNS]);
  assert.equal((await archives('--fractal', 'dns')).length, 4);
  assert.deepEqual(await lines('list', 'orphans'), []);
  await installed.sql('DROP SCHEMA bifract_console CASCADE');
  assert.deepEqual(await archives(), []);
  await call('adopt', '--yes');
  const adopted = await archives();
  assert.deepEqual(adopted.map(({ fractal_name }) => fractal_name).sort(), [
    ...Array(4).fill('dns'),
    ...Array(3).fill('web'),
  ]);
  const gone = adopted.find(({ fractal_name, log_count }) => fractal_name === 'dns' && log_count === 15);
  await call('restore-archive', gone?.id ?? '', '--into', 'web', '--yes');
  const moved = await installed.ch(`SELECT count() FROM logs WHERE fractal_id = '${WEB}'`);
  assert.equal(Number(moved), 30);
  await call('delete', 'archive', gone?.id ?? '', '--yes');
  await call('clean', '--yes');
  assert.equal((await archives()).length, 6);
});

test('an upgrade in place keeps records, coverage and schedules, also those of the server’s own archives', async () => {
  const installed = await releaseInstallation(services, 'D');
  await fill(installed, true);
  const program = programOn(installed);
  const { call, archives, lines } = program;
  await call('schedule', 'web', '--every', 'weekly', '--split', 'day', '--keep', '3');
  await call('archive', 'dns');
  // As the server does it.
  await installed.sql(`UPDATE fractals SET archive_schedule = 'monthly' WHERE id = $1`, [DNS]);
  await call('run-due');
  const before = [await archives(), await lines('list', 'fractals'), await states(program, 'web')];
  await installed.upgrade('H');
  assert.deepEqual([await archives(), await lines('list', 'fractals'), await states(program, 'web')], before);
  assert.deepEqual(await states(program, 'dns'), ['both', 'both', 'both']);
  await call('verify', '--all');
  assert.deepEqual(await lines('list', 'orphans'), []);
});

test('a backup of an older server, restored for a newer one, keeps the records when that upgrades it', async () => {
  const installed = await releaseInstallation(services, 'A');
  await fill(installed, true);
  const { call, archives, lines } = programOn(installed);
  await call('archive', 'web');
  // As if made before this program copied records.
  await installed.sql('DROP SCHEMA bifract_console CASCADE');
  await call('backup');
  const [backup] = await lines<{ name: string }>('list', 'backups');
  const known = await archives();
  await installed.upgrade('H');
  assert.deepEqual(await archives(), []);
  await call('restore', backup?.name ?? '', '--yes', '--no-safety-backup');
  await installed.upgrade('H').catch(() => undefined);
  assert.deepEqual(await archives(), known);
});

test('if the records cannot be copied, the job warns and is done', async () => {
  const installed = await releaseInstallation(services, 'A');
  await fill(installed, true);
  const user = `limited_${randomBytes(4).toString('hex')}`;
  const onServer = (text: string) => queryPostgres({ ...services.postgres, database: 'postgres' }, text);
  await onServer(
    `CREATE ROLE ${user} LOGIN PASSWORD '${services.postgres.password}' IN ROLE pg_read_all_data, pg_write_all_data`,
  );
  after(() => onServer(`DROP ROLE ${user}`));
  const ended = await run(['archive', 'web', '--json', '--dir', installed.dir], { POSTGRES_USER: user });
  assert.equal(ended.code, 0, ended.stderr);
  const events = ndjson<{ event: string; message?: string }>(ended);
  assert.equal(events.at(-1)?.event, 'job:done');
  const warnings = events.filter(({ event }) => event === 'job:warning');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? '', /permission denied.*adopt/);
  assert.equal((await programOn(installed).archives())[0]?.status, 'completed');
});

test('the schedule is shown and set on every kind of release, and nothing else is accepted', async () => {
  for (const generation of ['A', 'F'] as const) {
    const installed = await releaseInstallation(services, generation);
    await installed.sql('INSERT INTO fractals (id, name) VALUES ($1, $2)', [WEB, 'web']);
    const program = programOn(installed);
    const shown = async () => (await program.lines<Record<string, unknown>>('schedule', 'web'))[0];
    const none = { archive_schedule: 'never', archive_split: 'none', max_archives: null };
    assert.deepEqual(await shown(), { fractal_id: WEB, fractal_name: 'web', ...none });
    const [set] = await program.lines('schedule', WEB, '--every', 'weekly', '--keep', '4');
    const weekly = { archive_schedule: 'weekly', archive_split: 'none', max_archives: 4 };
    assert.deepEqual(set, { fractal_id: WEB, fractal_name: 'web', ...weekly });
    await program.call('schedule', 'web', '--split', 'day');
    assert.deepEqual(await shown(), {
      fractal_id: WEB,
      fractal_name: 'web',
      ...weekly,
      archive_split: 'day',
    });
    await program.call('schedule', 'web', '--keep', 'all', '--every', 'never');
    assert.deepEqual((await shown())?.max_archives, null);
    const rejected = [
      ['--every', 'hourly'],
      ['--split', 'month'],
      ['--keep', '0'],
      ['--keep', 'many'],
    ];
    for (const args of rejected) assert.equal((await program.run('schedule', 'web', ...args)).code, 2);
    assert.notEqual((await program.run('schedule', 'nobody', '--every', 'daily')).code, 0);
    const denied = await program.run('schedule', 'web', '--every', 'daily', '--read-only');
    assert.match(denied.stderr, /READ_ONLY/);
    assert.equal((await shown())?.archive_schedule, 'never');
  }
});

test('the server’s own archive is shown if it is enabled, and a stopped archiver is a warning', async () => {
  const installed = await releaseInstallation(services, 'H');
  await installed.sql('INSERT INTO fractals (id, name) VALUES ($1, $2)', [WEB, 'web']);
  const { call, lines } = programOn(installed);
  type Shown = { stale: boolean; total_bytes: number; total_records: number; last_commit_at: string } | null;
  const shown = async () => {
    const [status] = await lines<{ health: { server_archive: Shown } }>('status');
    const [coverage] = await lines<{ server_archive: Shown }>('coverage', 'web');
    assert.deepEqual(status?.health.server_archive, coverage?.server_archive);
    return status?.health.server_archive;
  };
  assert.equal(await shown(), null);
  assert.doesNotMatch((await call('status')).stdout.toString(), /Iceberg/);
  await installed.sql(
    `INSERT INTO archive_status (updated_at, last_commit_at, fractal_count, total_bytes, total_records)
     VALUES (now() - interval '1 minute', '2026-08-20 12:34:56+02', 3, 5000000000, 7654321)`,
  );
  const fresh = await shown();
  assert.deepEqual(
    [fresh?.stale, fresh?.total_bytes, fresh?.total_records, Date.parse(fresh?.last_commit_at ?? '')],
    [false, 5_000_000_000, 7_654_321, Date.UTC(2026, 7, 20, 10, 34, 56)],
  );
  assert.match((await call('status')).stdout.toString(), /Iceberg +ok +3 .*7,654,321.*2026-08-20 10:34/);
  await installed.sql(`UPDATE archive_status SET updated_at = now() - interval '20 minutes'`);
  assert.equal((await shown())?.stale, true);
  assert.match((await call('status')).stdout.toString(), /Iceberg +STALE .*bifract-archiver/);
  assert.match((await call('coverage', 'web')).stdout.toString(), /Warning.*7,654,321/);
});
