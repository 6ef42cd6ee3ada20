import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BifractError, cancelled } from '../../../../src/core/contract/errors.ts';
import { recover } from '../../../../src/core/engine/recovery.ts';
import { restoreKey } from '../../../../src/core/features/archive-restore/checkpoint.ts';
import type {
  ArchiveRestorePlan,
  ArchiveRestoreSummary,
} from '../../../../src/core/features/archive-restore/contract.ts';
import { planArchiveRestore } from '../../../../src/core/features/archive-restore/plan.ts';
import { restoreArchive } from '../../../../src/core/features/archive-restore/restore.ts';
import type { RestoreLimits } from '../../../../src/core/features/archive-restore/run.ts';
import type { ArchiveGroup } from '../../../../src/core/ports/catalog.ts';
import {
  FakeLogRestore,
  type FakeRow,
  type InjectedFailure,
  rowsOf,
} from '../../../helpers/fake-log-restore.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, jobContext } from '../../../helpers/fake-ports.ts';
import { type FakeParts, fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { framedArchive, KEY } from '../../../helpers/sealed.ts';
import { collect } from '../../../helpers/streams.ts';
import {
  FILE_NAME,
  FILE_PATH,
  sealedArchive,
  serverArchive,
  storedTarget,
} from '../../../helpers/targets.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 25);
const CRASHED = new BifractError('INTERNAL', 'The process is dead');
const UNREACHABLE = new BifractError('CLICKHOUSE_UNREACHABLE', 'ClickHouse does not answer', {
  transient: true,
});

/** A row every day for two months; the first day has three identical ones. */
function rowAt(index: number, fractal = FRACTAL_ID): FakeRow {
  const ts = new Date(START + Math.max(0, index - 2) * DAY).toISOString();
  const n = Math.max(0, index - 2);
  return { fractal, ts, its: ts, id: `id${n}`, raw: `row ${n}` };
}

const ROWS = Array.from({ length: 60 }, (_, index) => rowAt(index));
const lineOf = ({ ts, its, id, raw }: FakeRow) =>
  Buffer.from(`${JSON.stringify({ ts, raw, id, fid: FRACTAL_ID, its })}\n`);
const ALL = rowsOf(ROWS, FRACTAL_ID);

/** In six frames, so that it takes more than one table. */
function framed(): Promise<Buffer> {
  const frames = Array.from({ length: 6 }, (_, at) => ROWS.slice(at * 10, at * 10 + 10).map(lineOf));
  return collect(framedArchive(frames, KEY, 'test 1', { id: FRACTAL_ID, name: 'web-prod' }).bytes);
}

const ARCHIVE_ID = 'aaaaaaaa-0000-4000-8000-000000000001';
/** Small tables, so that the rows take more than one, and short waits. */
const LIMITS: Partial<RestoreLimits> = {
  table: { rows: 25, bytes: 1e9 },
  step: { partitions: 2, rows: 1e9 },
  retry_ms: 60_000,
  first_wait_ms: 1,
};

interface Lab {
  rows: FakeLogRestore;
  catalog: FakeCatalog;
  state: FakeState;
  /** Size of the file as planned. */
  size_bytes: number;
  /** The services of the installation; later changes take effect. */
  parts: Partial<FakeParts>;
}

async function createLab(bytes?: Buffer): Promise<Lab> {
  const [rows, catalog, state] = [new FakeLogRestore(), new FakeCatalog(), new FakeState()];
  const { storage, object } = await storedTarget(bytes ?? (await framed()));
  const { archive_id } = await catalog.openArchive({
    id: ARCHIVE_ID,
    fractal_id: FRACTAL_ID,
    filename: FILE_NAME,
    storage_type: 'disk',
    storage_path: FILE_PATH,
    archive_type: 'adhoc',
    archive_end_ts: null,
  });
  await catalog.completeArchive(archive_id, {
    size_bytes: object.size_bytes,
    log_count: ROWS.length,
    time_range_start: ROWS[0]?.ts ?? null,
    time_range_end: ROWS.at(-1)?.ts ?? null,
    checksum: '',
  });
  const parts: Partial<FakeParts> = {
    logRestore: rows,
    logs: rows,
    catalog,
    state,
    keys: [KEY],
    backups: new MemoryStorage(),
    archives: storage,
    storageOf: async () => undefined,
    localFile: async (name) => ({ storage: new MemoryStorage(), name }),
    archive_limits: { max_memory: 1e9, max_duration_ms: 0, max_error_time_ms: 60_000 },
    now: new Date('2030-01-01T00:00:00Z'),
  };
  return { rows, catalog, state, size_bytes: object.size_bytes, parts };
}

function planned(
  { parts }: Pick<Lab, 'parts'>,
  query: {
    source?: string;
    into?: string;
    into_new?: string;
    from?: string;
    to?: string;
    replace?: boolean;
  } = {},
): Promise<ArchiveRestorePlan> {
  return planArchiveRestore(fakeServices(parts), { source: FILE_NAME, ...query });
}

function restore(lab: Lab, plan: ArchiveRestorePlan, context = jobContext(), limits = LIMITS) {
  return restoreArchive(fakeServices(lab.parts), plan, context, limits);
}

async function run(lab: Lab, plan: ArchiveRestorePlan, id = 'job-1', limits = LIMITS) {
  const context = { ...jobContext(), id };
  return { context, summary: await restore(lab, plan, context, limits) };
}

/** What a later job does first; `plan`: what it restores. */
function recovered({ parts }: Lab, now: string, plan?: ArchiveRestorePlan): Promise<string[]> {
  const request = plan && { kind: 'restore-archive' as const, plan };
  return recover(fakeServices({ ...parts, now: new Date(now) }), { request });
}

function counts({ rows_read, rows_added, rows_there, rows_removed }: ArchiveRestoreSummary) {
  return { rows_read, rows_added, rows_there, rows_removed };
}

/** No staging tables or job records are left, and the record is unlocked. */
function assertClean({ rows, state, catalog }: Lab) {
  assert.deepEqual([...rows.stagingTables.keys()], []);
  assert.deepEqual(rows.uncounted, []);
  assert.deepEqual([...state.records.keys(), ...state.interruptedRecords], []);
  assert.deepEqual(
    [...catalog.records.values()].map(({ status }) => status),
    ['completed'],
  );
}

test('every row is restored, with its duplicates', async () => {
  const lab = await createLab();
  const plan = await planned(lab);
  assert.deepEqual([plan.rows, plan.rows_there, plan.obstacles], [60, 0, []]);
  const { summary } = await run(lab, plan);
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 60, rows_there: 0, rows_removed: 0 });
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  assertClean(lab);
  assert.deepEqual(lab.catalog.restores, [`begin ${ARCHIVE_ID}`, `end ${ARCHIVE_ID} 60 null`]);
});

test('staging tables are dropped even if ClickHouse is briefly unreachable at the end', async () => {
  const lab = await createLab();
  const plan = await planned(lab);
  let drops = 0;
  const drop = lab.rows.drop.bind(lab.rows);
  lab.rows.drop = async (table) => {
    const note = (await lab.state.running()).find(({ restoring }) => restoring);
    if (note?.restoring?.phase === 'ended' && drops++ < 3) throw UNREACHABLE;
    return drop(table);
  };
  await run(lab, plan);
  assert.ok(drops > 3);
  assertClean(lab);
});

test('staging tables that cannot be dropped cause a warning, and the next job drops them', async () => {
  const lab = await createLab();
  const plan = await planned(lab);
  const drop = lab.rows.drop.bind(lab.rows);
  lab.rows.drop = async (table) => {
    const note = (await lab.state.running()).find(({ restoring }) => restoring);
    if (note?.restoring?.phase === 'ended') throw UNREACHABLE;
    return drop(table);
  };
  const { context } = await run(lab, plan, 'job-1', { ...LIMITS, retry_ms: 20 });
  const warnings = context.events.flatMap((event) => ('message' in event ? event.message : []));
  assert.match(warnings.join(), /ClickHouse does not answer/);
  assert.ok(lab.rows.stagingTables.size > 0);
  lab.rows.drop = drop;
  const messages = await recovered(lab, '2030-01-01T00:00:00Z');
  assert.equal(messages.length, 1);
  assertClean(lab);
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
});

test('existing rows are not duplicated, and a second restore adds nothing', async () => {
  const lab = await createLab();
  lab.rows.logs = [rowAt(0), rowAt(1), rowAt(10), rowAt(10), rowAt(40), { ...rowAt(41), id: 'other' }];
  const { summary } = await run(lab, await planned(lab));
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 56, rows_there: 4, rows_removed: 0 });
  const rows = rowsOf(lab.rows.logs, FRACTAL_ID);
  assert.equal(rows.length, 62);
  const again = await run(lab, await planned(lab), 'job-2');
  assert.deepEqual(counts(again.summary), { rows_read: 60, rows_added: 0, rows_there: 60, rows_removed: 0 });
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rows);
});

/** Names of the calls from now on. */
function recordCalls({ rows }: Lab): string[] {
  const calls: string[] = [];
  rows.beforeCall = (name) => calls.push(name);
  return calls;
}

test('rows that exist are not staged', async () => {
  const lab = await createLab();
  lab.rows.logs = ROWS.map((row) => ({ ...row }));
  const calls = recordCalls(lab);
  const { summary } = await run(lab, await planned(lab));
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 0, rows_there: 60, rows_removed: 0 });
  assert.ok(calls.includes('digests') && !calls.includes('create'), calls.join());
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  assertClean(lab);
  assert.deepEqual(lab.catalog.restores, [`begin ${ARCHIVE_ID}`, `end ${ARCHIVE_ID} 60 null`]);
});

test('only the rows of minutes that differ are staged', async () => {
  for (const [what, change] of Object.entries({
    'another text': (row: FakeRow) => [{ ...row, raw: 'other' }],
    'another id': (row: FakeRow) => [{ ...row, id: 'other' }],
    'another ingest time': (row: FakeRow) => [{ ...row, its: '2026-01-01T00:00:00.000Z' }],
    'another time in the minute': (row: FakeRow) => [{ ...row, ts: row.ts.replace('00.000Z', '00.001Z') }],
    'one is missing': () => [],
    'there twice': (row: FakeRow) => [row, row],
  })) {
    const lab = await createLab();
    const held = ROWS.flatMap((row, at) => (at === 30 ? change(row) : [{ ...row }]));
    lab.rows.logs = [...held];
    const staged: number[] = [];
    lab.rows.beforeCall = (name) => {
      if (name === 'count') staged.push(...[...lab.rows.stagingTables.values()].map(({ length }) => length));
    };
    const { summary } = await run(lab, await planned(lab));
    const added = what === 'there twice' ? [] : [rowAt(30)];
    assert.deepEqual(counts(summary), {
      rows_read: 60,
      rows_added: added.length,
      rows_there: 60 - added.length,
      rows_removed: 0,
    });
    assert.equal(staged[0], 1, what);
    assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rowsOf([...held, ...added], FRACTAL_ID), what);
    assertClean(lab);
  }
});

test('any rows end up as they do without a comparison of digests', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(59), fc.nat(3), fc.constantFrom('row', 'other')), { maxLength: 8 }),
      fc.option(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 60 })), { nil: undefined }),
      async (changes, window) => {
        const held = ROWS.flatMap((row, at) => {
          const change = changes.find(([index]) => index === at);
          if (!change) return [row];
          const [, times, kind] = change;
          return Array.from({ length: times }, () => (kind === 'row' ? row : { ...row, raw: 'other' }));
        });
        const query = window && {
          from: new Date(START + window[0] * DAY).toISOString(),
          to: new Date(START + (window[0] + window[1]) * DAY).toISOString(),
        };
        const [one, other] = [await createLab(), await createLab()];
        for (const lab of [one, other]) lab.rows.logs = held.map((row) => ({ ...row }));
        other.rows.rowIdentity = async () => null as never;
        const calls = recordCalls(one);
        const [fast, slow] = [
          await run(one, await planned(one, query)),
          await run(other, await planned(other, query)),
        ];
        if (calls.includes('digests')) compared++;
        assert.deepEqual(counts(fast.summary), counts(slow.summary));
        assert.deepEqual(rowsOf(one.rows.logs, FRACTAL_ID), rowsOf(other.rows.logs, FRACTAL_ID));
        assertClean(one);
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(compared > 30, String(compared));
});

test('rows that are deleted while others are staged are restored too', async () => {
  const lab = await createLab();
  lab.rows.logs = ROWS.slice(0, 50);
  lab.rows.beforeCall = (name) => {
    if (name === 'load') lab.rows.logs = lab.rows.logs.filter(({ id }) => id !== 'id7');
  };
  const { summary } = await run(lab, await planned(lab));
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 11, rows_there: 49, rows_removed: 0 });
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  assertClean(lab);
});

test('an interrupted restore compares again: rows deleted since are restored too', async () => {
  const lab = await createLab();
  lab.rows.logs = ROWS.slice(0, 50);
  const plan = await planned(lab);
  lab.rows.beforeCall = (name) => {
    if (name === 'partitions')
      lab.rows.failure = { call: lab.rows.calls, when: 'before', error: UNREACHABLE, fatal: true };
  };
  await assert.rejects(run(lab, plan, 'job-1', { ...LIMITS, retry_ms: 0 }));
  assert.equal(lab.rows.stagingTables.size, 1);
  lab.rows.failure = undefined;
  lab.rows.logs = lab.rows.logs.filter(({ id }) => id !== 'id7');
  lab.rows.beforeCall = () => {};
  const { summary } = await run(lab, await planned(lab), 'job-2');
  assert.equal(summary.rows_added, 11);
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  assertClean(lab);
});

test('rows that were found to exist before an interruption are compared again', async () => {
  const lab = await createLab();
  lab.rows.logs = [...ROWS];
  const plan = await planned(lab);
  lab.rows.beforeCall = (name) => {
    if (name === 'updateCounts')
      lab.rows.failure = { call: lab.rows.calls, when: 'before', error: CRASHED, fatal: true };
  };
  await assert.rejects(run(lab, plan));
  lab.rows.failure = undefined;
  lab.rows.beforeCall = () => {};
  // As if the process had been killed right after the comparison.
  Object.assign(lab.state.records.get('job-1')?.restoring ?? {}, { phase: 'staging' });
  lab.rows.logs = lab.rows.logs.filter(({ id }) => id !== 'id7');
  const { summary } = await run(lab, await planned(lab), 'job-2');
  assert.equal(summary.rows_added, 1);
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  assertClean(lab);
});

test('an archive that is damaged, or does not match its record, is not found to exist', async () => {
  const intact = await sealedArchive(ROWS.map(lineOf));
  const broken = Buffer.from(intact);
  broken[broken.length - 300] = (broken[broken.length - 300] as number) ^ 1;
  for (const damaged of [true, false]) {
    const lab = await createLab(intact);
    lab.rows.logs = [...ROWS];
    if (!damaged) for (const record of lab.catalog.records.values()) record.log_count = 61;
    const plan = await planned(lab);
    if (damaged) lab.parts.archives = (await storedTarget(broken)).storage;
    await assert.rejects(run(lab, plan), { code: damaged ? 'DAMAGED' : 'COUNT_DIFFERS' });
    assertClean(lab);
  }
});

test('invalid lines of an archive whose rows exist are reported', async () => {
  const lab = await createLab(serverArchive([...ROWS.map(lineOf), Buffer.from('{"ts":"never"}\n')]));
  for (const record of lab.catalog.records.values()) record.log_count = 61;
  lab.rows.logs = [...ROWS];
  const calls = recordCalls(lab);
  const { summary, context } = await run(lab, await planned(lab));
  assert.ok(!calls.includes('load'));
  assert.deepEqual([summary.rows_there, summary.rows_left_out], [60, 1]);
  assert.ok(context.events.some((one) => one.event === 'job:warning' && /\b1\b/.test(one.message)));
});

test('partitions are attached some at a time', async () => {
  for (const [limit, steps] of [
    [{ partitions: 9, rows: 1e9 }, 1],
    [{ partitions: 2, rows: 1e9 }, 2],
    [{ partitions: 9, rows: 40 }, 2],
    [{ partitions: 9, rows: 1 }, 3],
  ] as const) {
    const lab = await createLab();
    const created = new Set<string>();
    lab.rows.beforeCall = () => {
      for (const name of lab.rows.stagingTables.keys()) if (/_m[0-9a-f]{8}$/.test(name)) created.add(name);
    };
    const { summary } = await run(lab, await planned(lab), 'job-1', { ...LIMITS, step: limit });
    assert.equal(created.size, steps);
    assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 60, rows_there: 0, rows_removed: 0 });
    assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  }
});

test('only partitions with rows of minutes that have others are compared row by row', async () => {
  const later = (row: FakeRow, id: string) => ({ ...row, id, ts: row.ts.replace('T00:00', 'T00:01') });
  for (const [held, compared] of [
    [[later(rowAt(5), 'january'), later(rowAt(59), 'march')], []],
    [[rowAt(59), later(rowAt(5), 'january')], ['202603']],
    [[rowAt(5), rowAt(1), later(rowAt(59), 'march')], ['202601']],
    [
      [rowAt(5), rowAt(20), { ...rowAt(59), id: 'other' }],
      ['202601', '202602', '202603'],
    ],
  ] as const) {
    const lab = await createLab();
    lab.rows.logs = [...held];
    const found: string[] = [];
    const insertMissing = lab.rows.insertMissing.bind(lab.rows);
    lab.rows.insertMissing = async (rows, ...rest) => {
      found.push(...(await lab.rows.partitions(rows.table)).map(({ id }) => id));
      await insertMissing(rows, ...rest);
    };
    const limits = { ...LIMITS, step: { partitions: 9, rows: 1e9 } };
    const { summary } = await run(lab, await planned(lab), 'job-1', limits);
    assert.deepEqual(found, compared);
    const there = held.filter((row) => ROWS.some(({ id, ts }) => id === row.id && ts === row.ts));
    assert.equal(summary.rows_there, there.length);
    const others = held.filter((row) => !there.includes(row));
    assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rowsOf([...ROWS, ...others], FRACTAL_ID));
    assertClean(lab);
  }
});

test('a restore that an earlier release was attaching one partition of is finished', async () => {
  const lab = await createLab();
  const plan = await planned(lab);
  lab.rows.beforeCall = (name) => {
    if (name === 'attach')
      lab.rows.failure = { call: lab.rows.calls, when: 'after', error: CRASHED, fatal: true };
  };
  await assert.rejects(run(lab, plan));
  lab.rows.failure = undefined;
  lab.rows.beforeCall = () => {};
  const restoring = lab.state.records.get('job-1')?.restoring as unknown as { moving: object[] };
  Object.assign(restoring, { moving: restoring.moving[0] });
  const { summary } = await run(lab, plan, 'job-2');
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 60, rows_there: 0, rows_removed: 0 });
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  assertClean(lab);
});

test('a window restores rows from its start (inclusive) to its end (exclusive)', async () => {
  const lab = await createLab();
  const plan = await planned(lab, { from: '2026-02-01T00:00:00Z', to: '2026-02-03T00:00:00Z' });
  assert.ok(plan.rows >= 2);
  const { summary } = await run(lab, plan);
  assert.equal(summary.rows_added, 2);
  assert.deepEqual(
    lab.rows.logs.map(({ ts }) => ts.slice(0, 10)),
    ['2026-02-01', '2026-02-02'],
  );
});

test('rows restored into another fractal do not affect their own', async () => {
  const lab = await createLab();
  const other = '99999999-2222-4333-8444-555555555555';
  await lab.catalog.createFractal({ id: other, name: 'other' });
  lab.rows.logs = [rowAt(5)];
  const plan = await planned(lab, { into: other });
  assert.deepEqual(plan.into, { id: other, name: 'other' });
  await run(lab, plan);
  assert.deepEqual(rowsOf(lab.rows.logs, other), ALL);
  assert.equal(rowsOf(lab.rows.logs, FRACTAL_ID).length, 1);
});

test('replace deletes earlier rows of the window, but not rows that arrive meanwhile', async () => {
  const lab = await createLab();
  const old = { ...rowAt(20), raw: 'old', its: '2029-12-31T00:00:00Z' };
  const outside = { ...old, raw: 'outside', ts: '2025-01-01T00:00:00.000Z' };
  const late = { ...old, raw: 'late', its: '2030-01-01T00:00:01Z' };
  lab.rows.logs = [old, outside, rowAt(30), { ...old, fractal: 'foreign' }];
  const plan = await planned(lab, { replace: true, from: '2026-01-01T00:00:00Z' });
  assert.equal(plan.rows_there, 2);
  lab.rows.beforeCall = (name) => {
    if (name === 'load' && !lab.rows.logs.includes(late)) lab.rows.logs.push(late);
  };
  const { summary } = await run(lab, plan);
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 60, rows_there: 0, rows_removed: 2 });
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rowsOf([...ROWS, outside, late], FRACTAL_ID));
  assert.equal(rowsOf(lab.rows.logs, 'foreign').length, 1);
});

test('replace without a window is limited to the time range of the archive', async () => {
  const lab = await createLab();
  const at = (ts: string, raw: string) => ({ ...rowAt(20), its: '2029-12-31T00:00:00Z', ts, raw });
  const [first, last] = [ROWS[0]?.ts ?? '', ROWS.at(-1)?.ts ?? ''];
  const before = at(new Date(Date.parse(first) - 1).toISOString(), 'before');
  const after = at(new Date(Date.parse(last) + 1).toISOString(), 'after');
  lab.rows.logs = [before, at(first, 'old'), at(last, 'old'), after];
  const kept = await planned(lab);
  assert.deepEqual([kept.removes, kept.rows_there], [null, 2]);
  const plan = await planned(lab, { replace: true });
  assert.deepEqual([plan.removes, plan.rows_there], [{ from: first, to: after.ts }, 2]);
  assert.match(plan.notes.join(), new RegExp(`${first}.*${after.ts}`));
  const { summary } = await run(lab, plan);
  assert.equal(summary.rows_removed, 2);
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rowsOf([...ROWS, before, after], FRACTAL_ID));
});

test('replace with an incomplete group requires a window: rows of the gap would be lost', async () => {
  const lab = await createLab();
  const id = 'bbbbbbbb-0000-4000-8000-000000000001';
  for (const record of lab.catalog.records.values()) Object.assign(record, { group_id: id });
  const ask = async (archive_count: number, query: object) => {
    lab.catalog.allGroups.splice(0);
    lab.catalog.allGroups.push({ id, fractal_id: FRACTAL_ID, archive_count } as ArchiveGroup);
    const plan = await planned(lab, { source: id, ...query });
    return plan.obstacles.map(({ code, message }) => `${code} ${message}`).join();
  };
  const window = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
  assert.match(await ask(3, { replace: true }), /^USAGE .*\b2\b/);
  assert.match(await ask(3, { replace: true, from: window.from }), /^USAGE .*\b2\b/);
  assert.equal(await ask(3, { replace: true, ...window }), '');
  assert.equal(await ask(3, {}), '');
  assert.equal(await ask(1, { replace: true }), '');
});

test('rows that arrive during a restore are kept', async () => {
  const lab = await createLab();
  const arrived: FakeRow[] = [];
  lab.rows.beforeCall = () => {
    const row = { ...rowAt(arrived.length % 60), id: `new${arrived.length}` };
    arrived.push(row);
    lab.rows.logs.push(row);
  };
  await run(lab, await planned(lab));
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rowsOf([...ROWS, ...arrived], FRACTAL_ID));
});

test('a damaged file restores no rows and leaves nothing behind', async () => {
  const intact = await sealedArchive(ROWS.map(lineOf));
  for (const at of [100, Math.floor(intact.length / 2), intact.length - 300]) {
    const broken = Buffer.from(intact);
    broken[at] = (broken[at] as number) ^ 1;
    const lab = await createLab(intact);
    const plan = await planned(lab);
    lab.parts.archives = (await storedTarget(broken)).storage;
    await assert.rejects(run(lab, plan), (error) => {
      assert.ok(error instanceof BifractError && error.exitCode === 5, String(error));
      return true;
    });
    assert.deepEqual(lab.rows.logs, []);
    assertClean(lab);
  }
});

test('a file that does not match its record restores no rows', async () => {
  const lab = await createLab();
  for (const record of lab.catalog.records.values()) record.log_count = 61;
  await assert.rejects(run(lab, await planned(lab)), { code: 'COUNT_DIFFERS' });
  assert.deepEqual(lab.rows.logs, []);
  assertClean(lab);
});

test('a file of the server is restored too, and the plan notes the missing fields', async () => {
  const lab = await createLab(serverArchive(ROWS.map(lineOf)));
  const plan = await planned(lab);
  assert.match(plan.notes.join(), /--via ingest/);
  await run(lab, plan);
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
});

test('invalid lines are skipped, counted and reported', async () => {
  const lab = await createLab(serverArchive([...ROWS.map(lineOf), Buffer.from('{"ts":"never"}\n')]));
  lab.catalog.records.clear();
  const intact = (await storedTarget(await sealedArchive(ROWS.map(lineOf)))).storage;
  const plan = await planned({ parts: { ...lab.parts, archives: intact } });
  const path = plan.files[0]?.path.replace(intact.location, lab.parts.archives?.location ?? '');
  const file = { ...plan.files[0], path, size_bytes: lab.size_bytes };
  const { summary, context } = await run(lab, { ...plan, files: [file as (typeof plan.files)[0]] });
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [60, 1]);
  assert.ok(context.events.some((one) => one.event === 'job:warning' && /\b1\b/.test(one.message)));
});

test('a fractal in use is an obstacle, and the restore is refused', async () => {
  const lab = await createLab();
  const plan = await planned(lab);
  await lab.catalog.openArchive({
    fractal_id: FRACTAL_ID,
    filename: 'x',
    storage_type: 'disk',
    storage_path: 'x',
    archive_type: 'adhoc',
    archive_end_ts: null,
  });
  assert.equal((await planned(lab)).obstacles[0]?.code, 'BUSY');
  await assert.rejects(run(lab, plan), { code: 'BUSY' });
  assert.deepEqual(lab.rows.logs, []);
});

test('concurrent restores into one fractal are refused', async () => {
  const lab = await createLab();
  const plan = await planned(lab);
  const other = { ...plan, from: '2026-02-01T00:00:00Z' };
  let second: Promise<unknown> | undefined;
  lab.rows.beforeCall = (name) => {
    if (name === 'load') second ??= assert.rejects(run(lab, other, 'job-2'), { code: 'BUSY' });
  };
  await run(lab, plan);
  assert.ok(second);
  await second;
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
});

test('cancelling while rows are staged leaves nothing behind', async () => {
  const lab = await createLab();
  const controller = new AbortController();
  const plan = await planned(lab);
  const reason = new BifractError('CANCELLED', 'Cancelled by the user');
  lab.rows.beforeCall = (name) => {
    if (name === 'count') controller.abort(reason);
  };
  await assert.rejects(restore(lab, plan, jobContext(controller.signal)));
  assert.deepEqual(lab.rows.logs, []);
  assertClean(lab);
});

for (const call of ['removeUntil', 'attach']) {
  test(`cancelling at ${call} is too late: the restore finishes, with a warning`, async () => {
    const lab = await createLab();
    lab.rows.logs = [...FEW_ROWS];
    const controller = new AbortController();
    const plan = await planned(lab, { replace: true });
    lab.rows.beforeCall = (name) => {
      if (name === call) controller.abort(cancelled());
    };
    const context = jobContext(controller.signal);
    const summary = await restore(lab, plan, context);
    assert.equal(summary.rows_added, ALL.length);
    assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
    assert.equal(context.events.filter(({ event }) => event === 'job:warning').length, 1);
    assertClean(lab);
  });
}

test('after a late cancel, an unresponsive ClickHouse ends the restore after a minute, with a hint', async (t) => {
  const lab = await createLab();
  lab.rows.logs = [...FEW_ROWS];
  const controller = new AbortController();
  const plan = await planned(lab, { replace: true });
  const { attach } = lab.rows;
  const hangs = Promise.withResolvers<void>();
  lab.rows.attach = (_table, _partition, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      hangs.resolve();
    });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ended = restore(lab, plan, jobContext(controller.signal));
  const refused = assert.rejects(ended, { code: 'CANCELLED', hint: /./ });
  await hangs.promise;
  controller.abort(cancelled());
  t.mock.timers.tick(60_000);
  await refused;
  t.mock.timers.reset();
  lab.rows.attach = attach;
  await run(lab, plan, 'job-2');
  assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), ALL);
  assertClean(lab);
});

test('an error after a late cancel is reported with it', async () => {
  const lab = await createLab();
  lab.rows.logs = [...FEW_ROWS];
  const controller = new AbortController();
  const plan = await planned(lab, { replace: true });
  lab.rows.attach = async () => {
    controller.abort(cancelled());
    throw new BifractError('QUERY_FAILED', 'The disk of ClickHouse is full');
  };
  await assert.rejects(restore(lab, plan, jobContext(controller.signal)), {
    code: 'CANCELLED',
    message: /^Cancelled by the user.*The disk of ClickHouse is full$/,
    hint: /./,
  });
});

test('rows are not deleted for an archive that has none in their time range', async () => {
  const lab = await createLab();
  lab.rows.logs = [{ ...rowAt(0), ts: '2030-01-01T00:00:00.000Z' }];
  const window = { from: '2029-12-31T00:00:00Z', to: '2030-01-02T00:00:00Z' };
  const { obstacles } = await planned(lab, { replace: true, ...window });
  assert.equal(obstacles[0]?.code, 'USAGE');
  assert.match(obstacles[0].message, /\b1\b/);
  assert.deepEqual((await planned(lab, window)).obstacles, []);
});

/**
 * The process crashes at the injected failure: no later call gets through, and its job records are those of an interrupted job.
 */
function crashing(lab: Lab, failure: () => InjectedFailure | undefined): Lab {
  const guard = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const now = failure();
          if (now?.fatal && lab.rows.calls >= now.call) throw CRASHED;
          return (value as (...all: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  return { ...lab, parts: { ...lab.parts, state: guard(lab.state), catalog: guard(lab.catalog) } };
}

/** Few of the rows exist, so that all are staged; or most, so that those that differ are. */
const FEW_ROWS = [rowAt(0), rowAt(10), { ...rowAt(40), raw: 'other' }];
const MOST_ROWS = [...ROWS.slice(2, 40), { ...rowAt(40), raw: 'other' }];

async function expected(replace: boolean, held: FakeRow[]): Promise<{ rows: string[]; calls: number }> {
  const lab = await createLab();
  lab.rows.logs = [...held];
  const plan = await planned(lab, { replace });
  const before = lab.rows.calls;
  await run(lab, plan);
  return { rows: rowsOf(lab.rows.logs, FRACTAL_ID), calls: lab.rows.calls - before };
}

for (const [what, replace, held] of [
  ['a restore', false, FEW_ROWS],
  ['a restore of rows that mostly exist', false, MOST_ROWS],
  ['a replacing restore', true, FEW_ROWS],
] as const) {
  const there = held.length - 1;

  test(`${what} that crashes at any call is finished by the same call`, async () => {
    const { rows, calls } = await expected(replace, [...held]);
    assert.ok(calls > 25, String(calls));
    for (let call = 1; call <= calls; call++) {
      for (const when of ['before', 'after'] as const) {
        const lab = await createLab();
        lab.rows.logs = [...held];
        const plan = await planned(lab, { replace });
        const failure: InjectedFailure = { call: lab.rows.calls + call, when, error: CRASHED, fatal: true };
        lab.rows.failure = failure;
        await restore(
          crashing(lab, () => lab.rows.failure),
          plan,
        ).catch(() => undefined);
        lab.rows.failure = undefined;
        crash(lab);
        const again = await planned(lab, { replace });
        assert.deepEqual([restoreKey(again), again.obstacles], [restoreKey(plan), []]);
        await recovered(lab, '2026-03-01T13:00:00Z', again);
        const { summary } = await run(lab, again, 'job-2');
        assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rows, `${when} call ${call}`);
        assert.equal(summary.rows_read, 60);
        assert.equal(summary.rows_added + summary.rows_there, 60);
        assertClean(lab);
      }
    }
  });

  test(`${what} that crashes at any call is finished or rolled back by any later job`, async () => {
    const { rows, calls } = await expected(replace, [...held]);
    const outcomes = { rolledBack: 0, done: 0 };
    for (let call = 1; call <= calls; call++) {
      const lab = await createLab();
      lab.rows.logs = [...held];
      const plan = await planned(lab, { replace });
      lab.rows.failure = { call: lab.rows.calls + call, when: 'after', error: CRASHED, fatal: true };
      await restore(
        crashing(lab, () => lab.rows.failure),
        plan,
      ).catch(() => undefined);
      lab.rows.failure = undefined;
      crash(lab);
      await recovered(lab, '2026-03-09T00:00:00Z');
      const now = rowsOf(lab.rows.logs, FRACTAL_ID);
      const rolledBack = now.length === held.length;
      outcomes[rolledBack ? 'rolledBack' : 'done']++;
      assert.deepEqual(now, rolledBack ? rowsOf([...held], FRACTAL_ID) : rows, `call ${call}`);
      assertClean(lab);
    }
    assert.ok(outcomes.rolledBack > 5 && outcomes.done > 5, JSON.stringify(outcomes));
  });

  test(`${what} survives a lost response at any call`, async () => {
    const { rows, calls } = await expected(replace, [...held]);
    for (let call = 1; call <= calls; call++) {
      for (const when of ['before', 'after'] as const) {
        const lab = await createLab();
        lab.rows.logs = [...held];
        const plan = await planned(lab, { replace });
        lab.rows.failure = { call: lab.rows.calls + call, when, error: UNREACHABLE, fatal: false };
        const { summary } = await run(lab, plan);
        assert.deepEqual(rowsOf(lab.rows.logs, FRACTAL_ID), rows, `${when} call ${call}`);
        assert.equal(summary.rows_added + summary.rows_there, 60);
        if (replace)
          assert.deepEqual(counts(summary), {
            rows_read: 60,
            rows_added: 60,
            rows_there: 0,
            rows_removed: 3,
          });
        else
          assert.deepEqual(counts(summary), {
            rows_read: 60,
            rows_added: 60 - there,
            rows_there: there,
            rows_removed: 0,
          });
      }
    }
  });
}

const NEW = { into_new: 'again' };

test('a new fractal is created with the id of the plan and the origin of its rows', async () => {
  const lab = await createLab();
  const plan = await planned(lab, NEW);
  assert.deepEqual(plan.obstacles, []);
  assert.deepEqual(plan.creates, {
    id: plan.into.id,
    name: 'again',
    restored_from: {
      fractal_id: FRACTAL_ID,
      from: ROWS[0]?.ts,
      to: new Date(Date.parse(ROWS.at(-1)?.ts ?? '') + 1).toISOString(),
    },
  });
  assert.equal(lab.catalog.all.length, 1);
  const { summary } = await run(lab, plan);
  assert.equal(summary.rows_added, 60);
  assert.deepEqual(lab.catalog.all.map(({ id, name, retention_days }) => [id, name, retention_days]).at(-1), [
    plan.into.id,
    'again',
    null,
  ]);
  assert.equal(rowsOf(lab.rows.logs, plan.into.id).length, 60);
  assertClean(lab);
});

test('a name in use, an existing target and a replacement cannot be combined with a new fractal', async () => {
  const lab = await createLab();
  const { obstacles } = await planned(lab, { into_new: lab.catalog.all[0]?.name });
  assert.deepEqual(
    obstacles.map(({ code }) => code),
    ['EXISTS'],
  );
  const refused = (query: object) =>
    assert.rejects(planned(lab, query), (error: BifractError) => error.code === 'USAGE');
  await refused({ ...NEW, into: FRACTAL_ID });
  await refused({ ...NEW, replace: true });
  for (const name of ['', ' x', 'a\u0007', 'x'.repeat(101)]) await refused({ into_new: name });
});

test('rows of a fractal that no longer exists can be restored into a new one', async () => {
  const lab = await createLab();
  lab.catalog.all.splice(0);
  lab.catalog.records.clear();
  assert.deepEqual(
    (await planned(lab)).obstacles.map(({ code }) => code),
    ['NOT_FOUND'],
  );
  const plan = await planned(lab, NEW);
  assert.deepEqual(plan.obstacles, []);
  await run(lab, plan);
  assert.equal(rowsOf(lab.rows.logs, plan.into.id).length, 60);
});

test('a restore that fails before all rows are staged creates no fractal', async () => {
  const bytes = await framed();
  bytes[bytes.length - 2000] = (bytes[bytes.length - 2000] ?? 0) ^ 1;
  const lab = await createLab(bytes);
  await assert.rejects(run(lab, await planned(lab, NEW)));
  assert.ok(lab.rows.calls > 1);
  assert.equal(lab.catalog.all.length, 1);
  assertClean(lab);
});

test('if the name is taken meanwhile, no rows are restored', async () => {
  const lab = await createLab();
  const plan = await planned(lab, NEW);
  await lab.catalog.createFractal({ id: 'other', name: 'again' });
  await assert.rejects(run(lab, plan), (error: BifractError) => error.code === 'EXISTS');
  assert.deepEqual(lab.rows.logs, []);
  assertClean(lab);
});

test('a restore into a new fractal that crashes at any call is finished by the same call', async () => {
  let [created, unborn] = [0, 0];
  for (let call = 1; ; call++) {
    const lab = await createLab();
    const plan = await planned(lab, NEW);
    const from = lab.rows.calls;
    lab.rows.failure = { call: from + call, when: 'after', error: CRASHED, fatal: true };
    const crashed = await restore(
      crashing(lab, () => lab.rows.failure),
      plan,
    ).then(
      () => false,
      () => true,
    );
    lab.rows.failure = undefined;
    if (!crashed && lab.rows.calls < from + call) break;
    crash(lab);
    if (lab.catalog.all.length > 1) created++;
    else unborn++;
    const again = await planned(lab, NEW);
    assert.equal(again.into.id === plan.into.id, lab.state.interruptedRecords.length > 0);
    if (again.obstacles.length > 0) continue;
    await recovered(lab, '2026-03-01T13:00:00Z', again);
    await run(lab, again, 'job-2');
    assert.equal(rowsOf(lab.rows.logs, again.into.id).length, 60, `call ${call}`);
    assert.equal(lab.rows.logs.length, 60);
    assert.equal(lab.catalog.all.filter(({ name }) => name === 'again').length, 1);
    assertClean(lab);
  }
  assert.ok(created > 5 && unborn > 5, `${created}, ${unborn}`);
});

for (const created of [false, true])
  test(`a later job ${created ? 'finishes' : 'rolls back'} a restore whose fractal was${created ? '' : ' not'} created`, async () => {
    const lab = await createLab();
    const plan = await planned(lab, NEW);
    const { createFractal } = lab.catalog;
    lab.catalog.createFractal = async (fractal) => {
      if (created) await createFractal.call(lab.catalog, fractal);
      lab.rows.failure = { call: lab.rows.calls, when: 'before', error: CRASHED, fatal: true };
      throw CRASHED;
    };
    await assert.rejects(
      restore(
        crashing(lab, () => lab.rows.failure),
        plan,
      ),
    );
    lab.rows.failure = undefined;
    crash(lab);
    await recovered(lab, '2026-03-09T00:00:00Z');
    assert.equal(lab.rows.logs.length, created ? 60 : 0);
    assert.equal(lab.catalog.all.length, created ? 2 : 1);
    assertClean(lab);
  });

function crash({ state }: Lab): void {
  state.interruptedRecords = [...state.records.values()].map((note) => structuredClone(note));
  state.records.clear();
}
