import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ArchiveRestorePlan, ArchiveRestoreSummary } from '../../../src/core/archive-restore.ts';
import { BifractError, cancelled } from '../../../src/core/errors.ts';
import { finishArchiveRestores } from '../../../src/core/jobs/finish-archive-restore.ts';
import { planArchiveRestore } from '../../../src/core/jobs/plan-archive-restore.ts';
import { type RestoreArchiveDeps, restoreArchive } from '../../../src/core/jobs/restore-archive.ts';
import { restoreKey, staleMarks } from '../../../src/core/jobs/restore-journal.ts';
import type { Target } from '../../../src/core/jobs/target.ts';
import type { ArchiveGroup } from '../../../src/core/ports/catalog.ts';
import type { LogDatabase } from '../../../src/core/ports/log-database.ts';
import { type Blow, FakeLogRestore, type FakeRow, heldBy } from '../../helpers/fake-log-restore.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, jobContext } from '../../helpers/fake-ports.ts';
import { framedArchive, KEY } from '../../helpers/sealed.ts';
import { collect } from '../../helpers/streams.ts';
import { FILE_NAME, FILE_PATH, sealedArchive, stored, unsealedArchive } from '../../helpers/targets.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 25);
const NEVER = new BifractError('INTERNAL', 'The process is dead');
const AWAY = new BifractError('CLICKHOUSE_UNREACHABLE', 'ClickHouse does not answer', { transient: true });

/** A row every day, over three months; the first day's comes three times. */
function rowAt(index: number, fractal = FRACTAL_ID): FakeRow {
  const ts = new Date(START + Math.max(0, index - 2) * DAY).toISOString();
  const n = Math.max(0, index - 2);
  return { fractal, ts, its: ts, id: `id${n}`, raw: `row ${n}` };
}

const ROWS = Array.from({ length: 60 }, (_, index) => rowAt(index));
const lineOf = ({ ts, its, id, raw }: FakeRow) =>
  Buffer.from(`${JSON.stringify({ ts, raw, id, fid: FRACTAL_ID, its })}\n`);
const ALL = heldBy(ROWS, FRACTAL_ID);

/** In six frames, so that it takes more than one table. */
function framed(): Promise<Buffer> {
  const frames = Array.from({ length: 6 }, (_, at) => ROWS.slice(at * 10, at * 10 + 10).map(lineOf));
  return collect(framedArchive(frames, KEY, 'test 1', { id: FRACTAL_ID, name: 'web-prod' }).bytes);
}

interface Lab {
  rows: FakeLogRestore;
  catalog: FakeCatalog;
  state: FakeState;
  target: Target;
  deps: RestoreArchiveDeps;
}

async function lab(bytes?: Buffer): Promise<Lab> {
  const [rows, catalog, state] = [new FakeLogRestore(), new FakeCatalog(), new FakeState()];
  const target = await stored(bytes ?? (await framed()));
  const { archive_id } = await catalog.openArchive({
    fractal_id: FRACTAL_ID,
    filename: FILE_NAME,
    storage_type: 'disk',
    storage_path: FILE_PATH,
    archive_type: 'adhoc',
    archive_end_ts: null,
  });
  await catalog.completeArchive(archive_id, {
    size_bytes: target.object.size_bytes,
    log_count: ROWS.length,
    time_range_start: ROWS[0]?.ts ?? null,
    time_range_end: ROWS.at(-1)?.ts ?? null,
    checksum: '',
  });
  const record = catalog.records.get(archive_id) ?? null;
  const found = { ...target, record };
  const deps: RestoreArchiveDeps = {
    rows,
    logs: rows as unknown as LogDatabase,
    catalog,
    state,
    keys: [KEY],
    find: async () => found,
    ingest: async () => {
      throw new Error('nothing is sent');
    },
    max_memory: 1e9,
    table_rows: 25,
    patience: { max_ms: 60_000, variable: 'X', first_ms: 1 },
  };
  return { rows, catalog, state, target: found, deps };
}

async function planned(
  { rows, catalog, state, target }: Lab,
  query: { source?: string; into?: string; from?: string; to?: string; replace?: boolean } = {},
): Promise<ArchiveRestorePlan> {
  return planArchiveRestore(
    {
      catalog,
      logs: rows as unknown as LogDatabase,
      rows,
      storages: {
        backups: async () => target.storage,
        archives: async () => target.storage,
        stored: async () => undefined,
      },
      keys: [KEY],
      find: async () => target,
      hasToken: async () => true,
      stale: await staleMarks(state),
      now: new Date('2030-01-01T00:00:00Z'),
      id: 'plan-1',
    },
    { source: FILE_NAME, ...query },
  );
}

async function run(here: Lab, plan: ArchiveRestorePlan, id = 'job-1') {
  const context = { ...jobContext(), id };
  return { context, summary: await restoreArchive(here.deps, plan, context) };
}

function counts({ rows_read, rows_added, rows_there, rows_removed }: ArchiveRestoreSummary) {
  return { rows_read, rows_added, rows_there, rows_removed };
}

/** Nothing is left beside the logs or in the notes, and the record is as it was. */
function mustBeClean({ rows, state, catalog }: Lab) {
  assert.deepEqual([...rows.beside.keys()], []);
  assert.deepEqual([...state.notes.keys(), ...state.deadNotes], []);
  assert.deepEqual(
    [...catalog.records.values()].map(({ status }) => status),
    ['completed'],
  );
}

test('every row comes back, each as often as it was there', async () => {
  const here = await lab();
  const plan = await planned(here);
  assert.deepEqual([plan.rows, plan.rows_there, plan.obstacles], [60, 0, []]);
  const { summary } = await run(here, plan);
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 60, rows_there: 0, rows_removed: 0 });
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), ALL);
  mustBeClean(here);
  assert.deepEqual(here.catalog.restores, ['begin archive-1', 'end archive-1 60 null']);
});

test('tables beside the logs are dropped though ClickHouse goes away for a moment in the end', async () => {
  const here = await lab();
  const plan = await planned(here);
  let drops = 0;
  const drop = here.rows.drop.bind(here.rows);
  here.rows.drop = async (table) => {
    const note = (await here.state.live()).find(({ restoring }) => restoring);
    if (note?.restoring?.phase === 'ended' && drops++ < 3) throw AWAY;
    return drop(table);
  };
  await run(here, plan);
  assert.ok(drops > 3);
  mustBeClean(here);
});

test('tables that cannot be dropped in the end are told, and go with the next job', async () => {
  const here = await lab();
  const plan = await planned(here);
  const drop = here.rows.drop.bind(here.rows);
  here.rows.drop = async (table) => {
    const note = (await here.state.live()).find(({ restoring }) => restoring);
    if (note?.restoring?.phase === 'ended') throw AWAY;
    return drop(table);
  };
  const patience = { ...here.deps.patience, max_ms: 20 };
  const { context } = await run({ ...here, deps: { ...here.deps, patience } }, plan);
  const told = context.events.flatMap((event) => ('message' in event ? event.message : []));
  assert.match(told.join(), /still to be dropped: ClickHouse does not answer/);
  assert.ok(here.rows.beside.size > 0);
  here.rows.drop = drop;
  await finishArchiveRestores(
    {
      state: here.state,
      catalog: async () => here.catalog,
      logs: async () => here.deps.logs,
      logRestore: async () => here.rows,
    },
    { except: undefined, now: new Date('2030-01-01T00:00:00Z') },
  );
  mustBeClean(here);
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), ALL);
});

test('what is there already is not doubled, and done again nothing changes', async () => {
  const here = await lab();
  here.rows.logs = [rowAt(0), rowAt(1), rowAt(10), rowAt(10), rowAt(40), { ...rowAt(41), id: 'other' }];
  const { summary } = await run(here, await planned(here));
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 56, rows_there: 4, rows_removed: 0 });
  const held = heldBy(here.rows.logs, FRACTAL_ID);
  assert.equal(held.length, 62);
  const again = await run(here, await planned(here), 'job-2');
  assert.deepEqual(counts(again.summary), { rows_read: 60, rows_added: 0, rows_there: 60, rows_removed: 0 });
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), held);
});

test('a window brings back its rows only, its first moment in and its last one out', async () => {
  const here = await lab();
  const plan = await planned(here, { from: '2026-02-01T00:00:00Z', to: '2026-02-03T00:00:00Z' });
  assert.ok(plan.rows >= 2);
  const { summary } = await run(here, plan);
  assert.equal(summary.rows_added, 2);
  assert.deepEqual(
    here.rows.logs.map(({ ts }) => ts.slice(0, 10)),
    ['2026-02-01', '2026-02-02'],
  );
});

test('rows go into another fractal, and leave their own alone', async () => {
  const here = await lab();
  const other = '99999999-2222-4333-8444-555555555555';
  await here.catalog.createFractal({ id: other, name: 'other' });
  here.rows.logs = [rowAt(5)];
  const plan = await planned(here, { into: other });
  assert.deepEqual(plan.into, { id: other, name: 'other' });
  await run(here, plan);
  assert.deepEqual(heldBy(here.rows.logs, other), ALL);
  assert.equal(heldBy(here.rows.logs, FRACTAL_ID).length, 1);
});

test('replace removes what was there in the window, and not what arrives meanwhile', async () => {
  const here = await lab();
  const old = { ...rowAt(20), raw: 'old', its: '2029-12-31T00:00:00Z' };
  const outside = { ...old, raw: 'outside', ts: '2025-01-01T00:00:00.000Z' };
  const late = { ...old, raw: 'late', its: '2030-01-01T00:00:01Z' };
  here.rows.logs = [old, outside, rowAt(30), { ...old, fractal: 'foreign' }];
  const plan = await planned(here, { replace: true, from: '2026-01-01T00:00:00Z' });
  assert.equal(plan.rows_there, 2);
  here.rows.meanwhile = (name) => {
    if (name === 'load' && !here.rows.logs.includes(late)) here.rows.logs.push(late);
  };
  const { summary } = await run(here, plan);
  assert.deepEqual(counts(summary), { rows_read: 60, rows_added: 60, rows_there: 0, rows_removed: 2 });
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), heldBy([...ROWS, outside, late], FRACTAL_ID));
  assert.equal(heldBy(here.rows.logs, 'foreign').length, 1);
});

test('replace without a window removes what is of the archive’s own time, and nothing else', async () => {
  const here = await lab();
  const at = (ts: string, raw: string) => ({ ...rowAt(20), its: '2029-12-31T00:00:00Z', ts, raw });
  const [first, last] = [ROWS[0]?.ts ?? '', ROWS.at(-1)?.ts ?? ''];
  const before = at(new Date(Date.parse(first) - 1).toISOString(), 'before');
  const after = at(new Date(Date.parse(last) + 1).toISOString(), 'after');
  here.rows.logs = [before, at(first, 'old'), at(last, 'old'), after];
  const plan = await planned(here, { replace: true });
  assert.deepEqual([plan.removes, plan.rows_there], [{ from: first, to: after.ts }, 2]);
  assert.match(plan.notes.join(), /rows of other times stay/);
  const { summary } = await run(here, plan);
  assert.equal(summary.rows_removed, 2);
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), heldBy([...ROWS, before, after], FRACTAL_ID));
});

test('replace by a group that lacks archives wants the window named: rows of the gap would be gone', async () => {
  const here = await lab();
  const id = 'bbbbbbbb-0000-4000-8000-000000000001';
  for (const record of here.catalog.records.values()) Object.assign(record, { group_id: id });
  const ask = async (archive_count: number, query: object) => {
    here.catalog.allGroups.splice(0);
    here.catalog.allGroups.push({ id, fractal_id: FRACTAL_ID, archive_count } as ArchiveGroup);
    const plan = await planned(here, { source: id, ...query });
    return plan.obstacles.map(({ code, message }) => `${code} ${message}`).join();
  };
  const window = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
  assert.match(await ask(3, { replace: true }), /^USAGE 2 archives of the group are not complete: rows of/);
  assert.match(await ask(3, { replace: true, from: window.from }), /^USAGE 2 archives/);
  assert.equal(await ask(3, { replace: true, ...window }), '');
  assert.equal(await ask(3, {}), '');
  assert.equal(await ask(1, { replace: true }), '');
});

test('rows that arrive during a restore stay', async () => {
  const here = await lab();
  const arrived: FakeRow[] = [];
  here.rows.meanwhile = () => {
    const row = { ...rowAt(arrived.length % 60), id: `new${arrived.length}` };
    arrived.push(row);
    here.rows.logs.push(row);
  };
  await run(here, await planned(here));
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), heldBy([...ROWS, ...arrived], FRACTAL_ID));
});

test('a damaged file brings no row back, and leaves nothing behind', async () => {
  const whole = await sealedArchive(ROWS.map(lineOf));
  for (const at of [100, Math.floor(whole.length / 2), whole.length - 300]) {
    const broken = Buffer.from(whole);
    broken[at] = (broken[at] as number) ^ 1;
    const here = await lab(whole);
    const plan = await planned(here);
    here.deps.find = async () => ({ ...(await stored(broken)), record: here.target.record });
    await assert.rejects(run(here, plan), (error) => {
      assert.ok(error instanceof BifractError && error.exitCode === 5, String(error));
      return true;
    });
    assert.deepEqual(here.rows.logs, []);
    mustBeClean(here);
  }
});

test('a file that is not what its record says brings no row back', async () => {
  const here = await lab();
  const record = here.catalog.records.get('archive-1');
  if (record) here.target.record = { ...record, log_count: 61 };
  await assert.rejects(run(here, await planned(here)), { code: 'COUNT_DIFFERS' });
  assert.deepEqual(here.rows.logs, []);
  mustBeClean(here);
});

test('a file of the server’s comes back too, and the plan says that its fields do not', async () => {
  const here = await lab(unsealedArchive(ROWS.map(lineOf)));
  const plan = await planned(here);
  assert.match(plan.notes.join(), /do not hold the parsed fields/);
  await run(here, plan);
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), ALL);
});

test('lines that are no rows are left out, counted and told', async () => {
  const here = await lab(unsealedArchive([...ROWS.map(lineOf), Buffer.from('{"ts":"never"}\n')]));
  here.target.record = null;
  for (const record of here.catalog.records.values()) here.catalog.records.delete(record.id);
  const plan = {
    ...(await planned({ ...here, target: await stored(await sealedArchive(ROWS.map(lineOf))) })),
  };
  const file = { ...plan.files[0], size_bytes: here.target.object.size_bytes, archive_id: null };
  const { summary, context } = await run(here, { ...plan, files: [file as (typeof plan.files)[0]] });
  assert.deepEqual([summary.rows_added, summary.rows_left_out], [60, 1]);
  assert.ok(
    context.events.some((one) => one.event === 'job:warning' && /1 line is no row/.test(one.message)),
  );
});

test('a fractal that is busy is an obstacle, and refuses the restore', async () => {
  const here = await lab();
  const plan = await planned(here);
  await here.catalog.openArchive({
    fractal_id: FRACTAL_ID,
    filename: 'x',
    storage_type: 'disk',
    storage_path: 'x',
    archive_type: 'adhoc',
    archive_end_ts: null,
  });
  assert.equal((await planned(here)).obstacles[0]?.code, 'BUSY');
  await assert.rejects(run(here, plan), { code: 'BUSY' });
  assert.deepEqual(here.rows.logs, []);
});

test('two restores into one fractal do not run at once', async () => {
  const here = await lab();
  const plan = await planned(here);
  const other = { ...plan, from: '2026-02-01T00:00:00Z' };
  let second: Promise<unknown> | undefined;
  here.rows.meanwhile = (name) => {
    if (name === 'load') second ??= assert.rejects(run(here, other, 'job-2'), { code: 'BUSY' });
  };
  await run(here, plan);
  assert.ok(second);
  await second;
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), ALL);
});

test('a cancel while rows are prepared leaves nothing behind', async () => {
  const here = await lab();
  const controller = new AbortController();
  const plan = await planned(here);
  const reason = new BifractError('CANCELLED', 'Cancelled by the user');
  here.rows.meanwhile = (name) => {
    if (name === 'count') controller.abort(reason);
  };
  await assert.rejects(restoreArchive(here.deps, plan, jobContext(controller.signal)));
  assert.deepEqual(here.rows.logs, []);
  mustBeClean(here);
});

for (const call of ['removeUntil', 'attach']) {
  test(`a cancel at ${call} comes too late: the restore goes to its end, and says so`, async () => {
    const here = await lab();
    here.rows.logs = [...START_ROWS];
    const controller = new AbortController();
    const plan = await planned(here, { replace: true });
    here.rows.meanwhile = (name) => {
      if (name === call) controller.abort(cancelled());
    };
    const context = jobContext(controller.signal);
    const summary = await restoreArchive(here.deps, plan, context);
    assert.equal(summary.rows_added, ALL.length);
    assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), ALL);
    assert.match(JSON.stringify(context.events), /brought to its end first/);
    mustBeClean(here);
  });
}

test('a cancel that comes too late, while ClickHouse does not answer, ends it after a minute and says that it is not undone', async (t) => {
  const here = await lab();
  here.rows.logs = [...START_ROWS];
  const controller = new AbortController();
  const plan = await planned(here, { replace: true });
  const { attach } = here.rows;
  const hangs = Promise.withResolvers<void>();
  here.rows.attach = (_table, _partition, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      hangs.resolve();
    });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ended = restoreArchive(here.deps, plan, jobContext(controller.signal));
  const refused = assert.rejects(ended, { code: 'CANCELLED', hint: /could not be undone[\s\S]*same call/ });
  await hangs.promise;
  controller.abort(cancelled());
  t.mock.timers.tick(60_000);
  await refused;
  t.mock.timers.reset();
  here.rows.attach = attach;
  await run(here, plan, 'job-2');
  assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), ALL);
  mustBeClean(here);
});

test('what keeps a restore from its end after a late cancel is told with it', async () => {
  const here = await lab();
  here.rows.logs = [...START_ROWS];
  const controller = new AbortController();
  const plan = await planned(here, { replace: true });
  here.rows.attach = async () => {
    controller.abort(cancelled());
    throw new BifractError('QUERY_FAILED', 'The disk of ClickHouse is full');
  };
  await assert.rejects(restoreArchive(here.deps, plan, jobContext(controller.signal)), {
    code: 'CANCELLED',
    message: 'Cancelled by the user; its end failed: The disk of ClickHouse is full',
    hint: /could not be undone/,
  });
});

test('rows are not removed for an archive that holds none of their time', async () => {
  const here = await lab();
  here.rows.logs = [{ ...rowAt(0), ts: '2030-01-01T00:00:00.000Z' }];
  const window = { from: '2029-12-31T00:00:00Z', to: '2030-01-02T00:00:00Z' };
  const { obstacles } = await planned(here, { replace: true, ...window });
  assert.match(obstacles[0]?.message ?? '', /holds no rows of that time: 1 rows would be removed/);
  assert.deepEqual((await planned(here, window)).obstacles, []);
});

/** The process dies with the blow: not one call gets through any more, and its notes are those of a dead job. */
function mortal(here: Lab, blow: () => Blow | undefined): RestoreArchiveDeps {
  const guard = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const now = blow();
          if (now?.death && here.rows.calls >= now.call) throw NEVER;
          return (value as (...all: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  return { ...here.deps, state: guard(here.state), catalog: guard(here.catalog) };
}

const START_ROWS = [rowAt(0), rowAt(10), { ...rowAt(40), raw: 'other' }];

async function expected(replace: boolean): Promise<{ held: string[]; calls: number }> {
  const here = await lab();
  here.rows.logs = [...START_ROWS];
  const plan = await planned(here, { replace });
  const before = here.rows.calls;
  await run(here, plan);
  return { held: heldBy(here.rows.logs, FRACTAL_ID), calls: here.rows.calls - before };
}

for (const replace of [false, true]) {
  const what = replace ? 'a replacing restore' : 'a restore';

  test(`${what} that dies at any call is brought to its end by the same call`, async () => {
    const { held, calls } = await expected(replace);
    assert.ok(calls > 25, String(calls));
    for (let call = 1; call <= calls; call++) {
      for (const when of ['before', 'after'] as const) {
        const here = await lab();
        here.rows.logs = [...START_ROWS];
        const plan = await planned(here, { replace });
        const blow: Blow = { call: here.rows.calls + call, when, error: NEVER, death: true };
        here.rows.blow = blow;
        await restoreArchive(
          mortal(here, () => here.rows.blow),
          plan,
          jobContext(),
        ).catch(() => undefined);
        here.rows.blow = undefined;
        die(here);
        const again = await planned(here, { replace });
        const key = restoreKey(again);
        assert.deepEqual([key, again.obstacles], [restoreKey(plan), []]);
        await finishArchiveRestores(queries(here), { except: key, now: new Date('2026-03-01T13:00:00Z') });
        const { summary } = await run(here, again, 'job-2');
        assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), held, `${when} call ${call}`);
        assert.equal(summary.rows_read, 60);
        assert.equal(summary.rows_added + summary.rows_there, 60);
        mustBeClean(here);
      }
    }
  });

  test(`${what} that dies at any call is ended or undone by any later job`, async () => {
    const { held, calls } = await expected(replace);
    const ends = { undone: 0, done: 0 };
    for (let call = 1; call <= calls; call++) {
      const here = await lab();
      here.rows.logs = [...START_ROWS];
      const plan = await planned(here, { replace });
      here.rows.blow = { call: here.rows.calls + call, when: 'after', error: NEVER, death: true };
      await restoreArchive(
        mortal(here, () => here.rows.blow),
        plan,
        jobContext(),
      ).catch(() => undefined);
      here.rows.blow = undefined;
      die(here);
      await finishArchiveRestores(queries(here), {
        except: undefined,
        now: new Date('2026-03-09T00:00:00Z'),
      });
      const now = heldBy(here.rows.logs, FRACTAL_ID);
      const undone = now.length === START_ROWS.length;
      ends[undone ? 'undone' : 'done']++;
      assert.deepEqual(now, undone ? heldBy(START_ROWS, FRACTAL_ID) : held, `call ${call}`);
      mustBeClean(here);
    }
    assert.ok(ends.undone > 5 && ends.done > 5, JSON.stringify(ends));
  });

  test(`${what} outlives a lost answer at any call`, async () => {
    const { held, calls } = await expected(replace);
    for (let call = 1; call <= calls; call++) {
      for (const when of ['before', 'after'] as const) {
        const here = await lab();
        here.rows.logs = [...START_ROWS];
        const plan = await planned(here, { replace });
        here.rows.blow = { call: here.rows.calls + call, when, error: AWAY, death: false };
        const { summary } = await run(here, plan);
        assert.deepEqual(heldBy(here.rows.logs, FRACTAL_ID), held, `${when} call ${call}`);
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
            rows_added: 58,
            rows_there: 2,
            rows_removed: 0,
          });
      }
    }
  });
}

function die({ state }: Lab): void {
  state.deadNotes = [...state.notes.values()].map((note) => structuredClone(note));
  state.notes.clear();
}

function queries({ rows, catalog, state }: Lab) {
  return {
    state,
    catalog: async () => catalog,
    logs: async () => rows as unknown as LogDatabase,
    logRestore: async () => rows,
  };
}
