import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { runDue } from '../../../../src/core/features/schedule/run.ts';
import type { AuditEntry } from '../../../../src/core/ports/audit.ts';
import type { Fractal } from '../../../../src/core/ports/catalog.ts';
import { refuses } from '../../../contracts/storage.ts';
import { archiveParts } from '../../../helpers/archive-parts.ts';
import { countRows } from '../../../helpers/count-rows.ts';
import { fractal, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { addScheduledArchive, SIZE } from '../../../helpers/scheduled-archives.ts';

const REQUEST = { kind: 'run-due' as const };
const START = Date.UTC(2026, 2, 1);
/** The ids of the fractals, by name. */
const IDS = {
  web: 'c0000000-0000-4000-8000-000000000001',
  dns: 'c0000000-0000-4000-8000-000000000002',
  vpn: 'c0000000-0000-4000-8000-000000000003',
};
type Name = keyof typeof IDS;

/** An installation in memory with these fractals, each with `rows` rows of today. */
function setUp(fractals: { [key in Name]?: Partial<Fractal> }, rows = 10) {
  const { parts } = archiveParts(rows);
  const { catalog, logs, archives, key } = parts;
  const given = Object.entries(fractals) as [Name, Partial<Fractal>][];
  catalog.all.splice(
    0,
    1,
    ...given.map(([name, one]) => fractal({ id: IDS[name], name, archive_schedule: 'daily', ...one })),
  );
  // In the order given here, not by name.
  catalog.fractals = async () => [...catalog.all];
  const times = Array.from({ length: rows }, (_, row) => START + row * 1000);
  const counted = times.map((time) => ({ time, ingested: time }));
  logs.countsByPeriod = async (query) => countRows(counted, query);
  const audited: AuditEntry[] = [];
  const context = jobContext();
  const services = fakeServices({
    ...parts,
    backups: archives,
    storageOf: async () => undefined,
    keys: [key],
    now: context.now(),
    audit: { append: async (entry) => void audited.push(entry) },
  });
  return { ...parts, services, audited, context };
}
type SetUp = ReturnType<typeof setUp>;

/** Names of the fractals that have an archive file, once for each. */
async function archived({ archives }: SetUp): Promise<string[]> {
  const names = Object.entries(IDS);
  const files = await Array.fromAsync(archives.list('archives/'));
  return files.map(({ name }) => names.find(([, id]) => name.includes(id))?.[0] ?? name);
}

/** Fails the write of files of a fractal. */
function failWrites({ archives }: SetUp, name: Name, error: BifractError): void {
  const { put } = archives;
  archives.put = (path, ...rest) =>
    path.includes(IDS[name]) ? Promise.reject(error) : put.call(archives, path, ...rest);
}

const itemsOf = ({ events }: ReturnType<typeof jobContext>) =>
  events.filter((one) => one.event === 'job:item');

test('what is due is archived, the rest is skipped, and each has a reason', async () => {
  const run = setUp({ web: {}, dns: {}, vpn: {} });
  const { services, archives, catalog, state, context } = run;
  await addScheduledArchive(run, IDS.dns, { day: '03-01' });
  const summary = await runDue(services, REQUEST, context);
  assert.deepEqual(await archived(run), ['web', 'dns', 'vpn']);
  const items = itemsOf(context);
  const outcomes = items.map(({ item, ok, details }) => [
    item,
    ok,
    details?.action,
    details?.rows,
    details?.files,
  ]);
  assert.deepEqual(outcomes, [
    ['web', true, 'archived', 10, 1],
    ['dns', true, 'skipped', 0, 0],
    ['vpn', true, 'archived', 10, 1],
  ]);
  assert.ok(items[0]?.message?.includes('daily; no scheduled archive since 2026-03-01'));
  assert.ok(items[1]?.message?.includes('daily, done; next due 2026-03-02 00:00Z'));
  const written = (await Array.fromAsync(archives.list(''))).filter(({ name }) => !name.includes(IDS.dns));
  assert.deepEqual(
    [summary.archived, summary.skipped, summary.rows, summary.size_bytes],
    [2, 1, 20, written.reduce((sum, { size_bytes }) => sum + size_bytes, 0)],
  );
  assert.equal(state.records.size, 0);
  const made = [...catalog.records.values()].filter(({ fractal_id }) => fractal_id !== IDS.dns);
  assert.deepEqual(
    made.map(({ archive_type }) => archive_type),
    ['scheduled', 'scheduled'],
  );
  const rows = context.events.flatMap((one) => (one.event === 'job:progress' ? [one.rows ?? 0] : []));
  assert.deepEqual(
    rows,
    rows.toSorted((a, b) => a - b),
    'counts never decrease',
  );
  assert.deepEqual([rows.includes(10), rows.at(-1)], [true, 20]);
});

test('a failure does not stop the others: partly done, and named', async () => {
  const run = setUp({ web: {}, vpn: {} });
  failWrites(run, 'web', new BifractError('STORAGE_FULL', 'The disk is full'));
  const error = await runDue(run.services, REQUEST, run.context).catch((thrown: unknown) => thrown);
  assert.equal((error as BifractError).code, 'PARTLY_DONE');
  assert.match((error as BifractError).message, /1 of 2 .*web: The disk is full/);
  assert.deepEqual(await archived(run), ['vpn']);
  const [failed] = itemsOf(run.context);
  assert.deepEqual(
    [failed?.item, failed?.ok, failed?.error?.code, failed?.details?.action],
    ['web', false, 'STORAGE_FULL', 'failed'],
  );
});

test('if all fail, the error is theirs', async () => {
  const run = setUp({ web: {}, dns: {} });
  await addScheduledArchive(run, IDS.dns, { day: '03-01' });
  run.logs.stats = () => Promise.reject(new BifractError('CLICKHOUSE_UNREACHABLE', 'No answer'));
  await refuses('CLICKHOUSE_UNREACHABLE', runDue(run.services, REQUEST, run.context));
});

test('a fractal in use, or archived meanwhile, is skipped', async () => {
  const busy = setUp({ web: {} });
  await addScheduledArchive(busy, IDS.web, {
    day: '03-01',
    record: { archive_type: 'adhoc', status: 'in_progress' },
    file: false,
  });
  assert.equal((await runDue(busy.services, REQUEST, busy.context)).skipped, 1);
  const [skipped] = itemsOf(busy.context);
  assert.deepEqual([skipped?.item, skipped?.ok, skipped?.details?.action], ['web', true, 'skipped']);
  assert.match(skipped?.message ?? '', /^skipped: .+/);

  const late = setUp({ web: {} });
  const { catalog } = late;
  const other = setUp({ web: {} });
  await addScheduledArchive(other, IDS.web, { day: '03-01' });
  catalog.archives = async ({ fractal_id } = {}) => (fractal_id ? [...other.catalog.records.values()] : []);
  assert.equal((await runDue(late.services, REQUEST, late.context)).skipped, 1);
  assert.deepEqual(await archived(late), []);
});

test('retention follows the archive, even if none was due; kept archives are reported', async () => {
  const run = setUp({ web: { max_archives: 2 }, dns: { max_archives: 1 }, vpn: {} });
  const { services, catalog, logs, context, audited } = run;
  const range = (month: string) => ({
    time_range_start: `2026-${month}-01T00:00:00Z`,
    time_range_end: `2026-${month}-02T00:00:00Z`,
  });
  const add = async (name: Name, day: string, month: string) =>
    (await addScheduledArchive(run, IDS[name], { day, record: range(month) })).id;
  const kept = await add('web', '02-01', '01');
  const web = await add('web', '02-02', '02');
  const newest = await add('web', '02-03', '02');
  const dns = await add('dns', '02-01', '02');
  const today = await add('dns', '03-01', '02');
  const vpn = [await add('vpn', '02-01', '02'), await add('vpn', '02-02', '02')];
  const { stats } = logs;
  logs.stats = async (window) =>
    window?.from?.startsWith('2026-01')
      ? { rows: 5, first: window.from, last: window.from }
      : stats.call(logs, window);

  const summary = await runDue(services, REQUEST, context);
  const left = [...catalog.records.keys()];
  for (const id of [web, dns]) assert.ok(!left.includes(id), id);
  for (const id of [kept, newest, today, ...vpn]) assert.ok(left.includes(id), id);
  assert.deepEqual([summary.deleted, summary.freed_bytes], [2, 2 * SIZE]);
  assert.match(
    itemsOf(context)[0]?.message ?? '',
    /2026-02-01T02:00:00Z.*\b5 .*\bdeleted 1 .*max_archives 2/,
  );
  assert.deepEqual(
    audited.map(({ event, kind, what }) => [event, kind, what?.map((one) => one.includes(web))]),
    [
      ['begun', 'run-due', [true]],
      ['ended', 'run-due', undefined],
      ['begun', 'run-due', [false]],
      ['ended', 'run-due', undefined],
    ],
  );
});

test('nothing is deleted after a failed archive', async () => {
  const run = setUp({ web: { max_archives: 1 } });
  const { time_range_end } = await addScheduledArchive(run, IDS.web, { day: '02-01' });
  await addScheduledArchive(run, IDS.web, { day: '02-02', record: { time_range_end } });
  failWrites(run, 'web', new BifractError('COUNT_DIFFERS', 'ClickHouse counts 3 rows'));
  await refuses('COUNT_DIFFERS', runDue(run.services, REQUEST, run.context));
  assert.deepEqual(await archived(run), ['web', 'web']);

  const succeeds = setUp({ web: { max_archives: 1 } });
  await addScheduledArchive(succeeds, IDS.web, { day: '02-01' });
  await addScheduledArchive(succeeds, IDS.web, { day: '02-02', record: { time_range_end } });
  assert.equal((await runDue(succeeds.services, REQUEST, succeeds.context)).deleted, 2);
});

test('of two concurrent runs, the later one ends as a conflict', async () => {
  const run = setUp({ web: {} });
  const { services, state, context } = run;
  await state.save({ id: 'run-due-other', kind: 'run-due', started_at: '2026-03-01T12:00:00Z' });
  await refuses('BUSY', runDue(services, REQUEST, context));
  assert.deepEqual(await archived(run), []);
  assert.deepEqual([...state.records.keys()], ['run-due-other']);
  await state.save({ id: 'run-due-other', kind: 'run-due', started_at: '2026-03-01T13:00:00Z' });
  assert.equal((await runDue(services, REQUEST, jobContext())).archived, 1);
});

test('a cancelled run ends with its reason', async () => {
  const controller = new AbortController();
  const run = setUp({ web: {}, vpn: {} });
  const { services, catalog, state } = run;
  const reason = new BifractError('CANCELLED', 'Cancelled by the user');
  const { closeGroup } = catalog;
  catalog.closeGroup = async (...group) => {
    await closeGroup.call(catalog, ...group);
    controller.abort(reason);
  };
  await assert.rejects(runDue(services, REQUEST, jobContext(controller.signal)), (error) => error === reason);
  assert.deepEqual(await archived(run), ['web']);
  assert.equal(state.records.size, 0);
});

test('no new rows is reported, and counts as no archive', async () => {
  const { services, context } = setUp({ web: {}, dns: { max_archives: 1 } }, 0);
  const summary = await runDue(services, REQUEST, context);
  assert.equal(summary.archived, 0);
  assert.deepEqual(
    itemsOf(context).map(({ item, ok, details }) => [item, ok, details?.action]),
    [
      ['web', true, 'nothing'],
      ['dns', true, 'nothing'],
    ],
  );
});

test('rows that are archived already are archived again only in full mode', async () => {
  for (const [mode, action] of [
    ['incremental', 'nothing'],
    ['full', 'archived'],
  ] as const) {
    const run = setUp({ web: {} });
    const range = { time_range_start: new Date(START).toISOString(), time_range_end: '2026-03-01T00:00:09Z' };
    await addScheduledArchive(run, IDS.web, {
      day: '03-01',
      record: { ...range, archive_type: 'adhoc', log_count: 10 },
    });
    const { fractals } = await runDue(run.services, { ...REQUEST, mode }, run.context);
    assert.deepEqual(
      fractals.map((one) => one.action),
      [action],
    );
  }
});

test('a fractal whose rows an interrupted restore has not brought back fails, and the others go on', async () => {
  const run = setUp({ web: { max_archives: 1 }, dns: {} });
  await addScheduledArchive(run, IDS.web, { day: '02-01' });
  await addScheduledArchive(run, IDS.web, { day: '02-02' });
  const before = run.catalog.records.size;
  run.state.interruptedRecords = [
    {
      id: 'restore-archive-1',
      kind: 'restore-archive',
      started_at: '2026-03-01T00:00:00Z',
      restoring: { key: 'k', plan: { into: { id: IDS.web }, files: [] }, phase: 'removing', archive_ids: [] },
    },
  ];
  await refuses('PARTLY_DONE', runDue(run.services, REQUEST, run.context));
  assert.deepEqual(
    itemsOf(run.context).map(({ item, error }) => [item, error?.code]),
    [
      ['web', 'BUSY'],
      ['dns', undefined],
    ],
  );
  // Nothing of it was archived, and nothing deleted: one new record for dns.
  assert.equal(run.catalog.records.size, before + 1);
});
