import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { connectCatalog } from '../../../../../src/core/adapters/postgres/catalog/catalog.ts';
import { cancelled } from '../../../../../src/core/contract/errors.ts';
import type { NewArchive } from '../../../../../src/core/ports/catalog.ts';
import { refuses } from '../../../../contracts/storage.ts';
import { testServices } from '../../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../../helpers/until.ts';

const { postgres, sql } = await testServices();
const catalog = await connectCatalog(postgres);
after(() => catalog.close());

let fractal_id: string;

beforeEach(async () => {
  await sql('DELETE FROM fractals');
  fractal_id = await newFractal('web');
});

async function newFractal(name: string): Promise<string> {
  const [row] = await sql<{ id: string }>('INSERT INTO fractals (name) VALUES ($1) RETURNING id', [name]);
  return row?.id ?? '';
}

function newArchive(over: Partial<NewArchive> = {}): NewArchive {
  const filename = `${fractal_id}-20260301-120000.bifract-archive`;
  return {
    fractal_id,
    filename,
    storage_type: 'disk',
    storage_path: `archives/${fractal_id}/${filename}`,
    archive_type: 'adhoc',
    archive_end_ts: '2026-03-01T12:00:00.123Z',
    ...over,
  };
}

const RESULT = {
  size_bytes: 5_000_000_000,
  log_count: 7,
  time_range_start: '2026-03-01T00:00:00.001Z',
  time_range_end: '2026-03-01T12:00:00.123456Z',
  checksum: 'ab'.repeat(32),
};

async function stateOf(archive_id: string) {
  const [archive] = await catalog.archives({ ids: [archive_id] });
  const [group] = (await catalog.groups()).filter(({ id }) => id === archive?.group_id);
  return { archive, group };
}

test('returns the version of the server', async () => {
  assert.match(await catalog.serverVersion(), /^\d+\.\d+$/);
});

test('a fractal has numbers and UTC times, whatever the time zone of server and process', async () => {
  await sql(
    `UPDATE fractals SET log_count = 9007199254740991, size_bytes = 5000000000, earliest_log = '2026-03-29 02:30:00.123456',
       latest_log = '2026-03-01', created_at = '2026-01-01 00:00:00.1', retention_days = 30`,
  );
  await sql(`ALTER ROLE CURRENT_USER SET timezone = 'America/New_York'`);
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  const other = await connectCatalog(postgres);
  try {
    assert.deepEqual(await other.fractals(), [
      {
        id: fractal_id,
        name: 'web',
        description: null,
        is_default: false,
        is_system: false,
        created_at: '2026-01-01T00:00:00.1Z',
        log_count: Number.MAX_SAFE_INTEGER,
        size_bytes: 5_000_000_000,
        earliest_log: '2026-03-29T02:30:00.123456Z',
        latest_log: '2026-03-01T00:00:00Z',
        retention_days: 30,
        archive_schedule: 'never',
        max_archives: null,
        archive_split: 'none',
      },
    ]);
    const { archive_id } = await other.openArchive(newArchive());
    const { archive } = await stateOf(archive_id);
    assert.ok(Math.abs(Date.parse(archive?.created_at ?? '') - Date.now()) < 60_000);
  } finally {
    await other.close();
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
    await sql('ALTER ROLE CURRENT_USER RESET timezone');
  }
});

test('a number that is not a safe integer is an error, never rounded', async () => {
  await sql('UPDATE fractals SET log_count = 9007199254740993');
  await refuses('QUERY_FAILED', catalog.fractals());
});

test('an opened archive and its group are in progress and have no creator', async () => {
  const { archive_id, group_id } = await catalog.openArchive(newArchive());
  const { archive, group } = await stateOf(archive_id);
  assert.deepEqual(
    { ...archive, created_at: '' },
    {
      ...newArchive(),
      id: archive_id,
      fractal_name: 'web',
      size_bytes: 0,
      log_count: 0,
      time_range_start: null,
      time_range_end: null,
      status: 'in_progress',
      error_message: null,
      created_by: null,
      created_at: '',
      format_version: 1,
      checksum: null,
      group_id,
      period_label: null,
    },
  );
  assert.deepEqual(
    [group?.id, group?.status, group?.archive_count, group?.completed_count, group?.created_by],
    [group_id, 'in_progress', 1, 0, null],
  );
});

test('opening an archive of a busy fractal fails with BUSY and leaves nothing behind', async () => {
  const { archive_id } = await catalog.openArchive(newArchive());
  const started = new RegExp(`web.* ${new Date().getUTCFullYear()}-.*${newArchive().filename}`);
  await assert.rejects(catalog.openArchive(newArchive()), { code: 'BUSY', message: started });
  await sql(`UPDATE archives SET status = 'restoring'`);
  const restored = new RegExp(`web.*${newArchive().filename}`);
  await assert.rejects(catalog.openArchive(newArchive()), { code: 'BUSY', message: restored });
  assert.equal((await catalog.groups()).length, 1);
  await catalog.completeArchive(archive_id, RESULT);
  await catalog.openArchive(newArchive());
});

test('only one of several concurrent archives is opened', async () => {
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => catalog.openArchive(newArchive())));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.equal((await catalog.archives()).length, 1);
  assert.equal((await catalog.groups()).length, 1);
});

test('an archive of a deleted fractal is not opened', async () => {
  await refuses('NOT_FOUND', catalog.openArchive(newArchive({ fractal_id: randomUUID() })));
});

test('a completed archive has the data of its file, and its group is completed', async () => {
  const { archive_id } = await catalog.openArchive(newArchive());
  await catalog.completeArchive(archive_id, RESULT);
  const { archive, group } = await stateOf(archive_id);
  assert.deepEqual({ ...archive, ...RESULT, status: 'completed' }, archive);
  assert.deepEqual(
    [group?.status, group?.completed_count, group?.total_log_count, group?.total_size_bytes],
    ['completed', 1, 7, 5_000_000_000],
  );
});

test('a failed archive and its group have the error message', async () => {
  const { archive_id } = await catalog.openArchive(newArchive());
  await catalog.updateProgress(archive_id, { log_count: 5, size_bytes: 10 });
  await catalog.failArchive(archive_id, 'the disk is full');
  const { archive, group } = await stateOf(archive_id);
  assert.deepEqual(
    [archive?.status, archive?.error_message, archive?.size_bytes],
    ['failed', 'the disk is full', 0],
  );
  assert.deepEqual(
    [group?.status, group?.error_message, group?.completed_count],
    ['failed', 'the disk is full', 0],
  );
});

test('a group with failed archives is partial, and one with missing archives is in progress', async () => {
  const { archive_id, group_id } = await catalog.openArchive(newArchive());
  await sql('UPDATE archive_groups SET archive_count = 2');
  await catalog.completeArchive(archive_id, RESULT);
  assert.equal((await stateOf(archive_id)).group?.status, 'in_progress');
  const second = await catalog.openArchive(newArchive());
  await sql('UPDATE archives SET group_id = $1 WHERE id = $2', [group_id, second.archive_id]);
  await catalog.failArchive(second.archive_id, 'no');
  const { group } = await stateOf(archive_id);
  assert.deepEqual([group?.status, group?.completed_count, group?.total_log_count], ['partial', 1, 7]);
});

test('a group collects its periods one after the other and sums up their results', async () => {
  const first = await catalog.openArchive(
    newArchive({ split: 'day', archive_count: 3, period_label: '2026-03-01' }),
  );
  const { group_id } = first;
  assert.deepEqual(
    [
      (await stateOf(first.archive_id)).group?.split_granularity,
      (await stateOf(first.archive_id)).group?.archive_count,
    ],
    ['day', 3],
  );
  await refuses('BUSY', catalog.openArchive(newArchive({ group_id, period_label: '2026-03-02' })));
  await catalog.completeArchive(first.archive_id, RESULT);
  const id = randomUUID();
  const second = await catalog.openArchive(newArchive({ id, group_id, period_label: '2026-03-02' }));
  assert.deepEqual(second, { group_id, archive_id: id });
  assert.equal((await stateOf(id)).archive?.period_label, '2026-03-02');
  await catalog.failArchive(id, 'too many parts');
  assert.equal((await stateOf(id)).group?.status, 'in_progress');
  await catalog.closeGroup(group_id, { missing: 1, message: 'cancelled' });
  const { group } = await stateOf(id);
  assert.deepEqual(
    [group?.status, group?.archive_count, group?.completed_count, group?.error_message],
    ['partial', 3, 1, 'too many parts'],
  );
  // A closed group stays closed, whatever happens to its archives.
  await catalog.deleteArchive(id, async () => undefined);
  assert.deepEqual([(await stateOf(first.archive_id)).group?.status], ['partial']);
});

test('a closed group is completed with all archives, failed with none, and removed if none were expected', async () => {
  const full = await catalog.openArchive(newArchive({ archive_count: 5 }));
  await catalog.completeArchive(full.archive_id, RESULT);
  await catalog.closeGroup(full.group_id, { missing: 0, message: null });
  const done = (await stateOf(full.archive_id)).group;
  assert.deepEqual([done?.status, done?.archive_count, done?.error_message], ['completed', 1, null]);
  const none = await catalog.openArchive(newArchive({ archive_count: 5 }));
  await catalog.failArchive(none.archive_id, 'no');
  await catalog.closeGroup(none.group_id, { missing: null, message: 'no' });
  const failed = (await stateOf(none.archive_id)).group;
  assert.deepEqual([failed?.status, failed?.archive_count], ['failed', 5]);
  await sql('DELETE FROM archives WHERE id = $1', [none.archive_id]);
  await catalog.closeGroup(none.group_id, { missing: 0, message: null });
  assert.equal((await catalog.groups()).length, 1);
});

test('a failed archive is reopened once, together with its group', async () => {
  const { archive_id } = await catalog.openArchive(newArchive({ archive_count: 2 }));
  await catalog.failArchive(archive_id, 'interrupted');
  const group_id = (await stateOf(archive_id)).group?.id ?? '';
  await catalog.closeGroup(group_id, { missing: null, message: null });
  await catalog.reopenArchive(archive_id);
  const { archive, group } = await stateOf(archive_id);
  assert.deepEqual(
    [archive?.status, archive?.error_message, group?.status],
    ['in_progress', null, 'in_progress'],
  );
  await refuses('BUSY', catalog.reopenArchive(archive_id));
  await catalog.failArchive(archive_id, 'interrupted');
  await catalog.openArchive(newArchive());
  await refuses('BUSY', catalog.reopenArchive(archive_id));
  await refuses('NOT_FOUND', catalog.reopenArchive(randomUUID()));
});

test('the status is corrected after a server start set it to failed', async () => {
  const { archive_id } = await catalog.openArchive(newArchive());
  const serverStarts = () =>
    sql(`WITH a AS (UPDATE archives SET status = 'failed', error_message = 'server restarted' RETURNING group_id)
         UPDATE archive_groups SET status = 'failed', error_message = 'x'`);
  await serverStarts();
  await catalog.updateProgress(archive_id, { log_count: 3, size_bytes: 4 });
  const updated = await stateOf(archive_id);
  assert.deepEqual(
    [
      updated.archive?.status,
      updated.archive?.error_message,
      updated.archive?.log_count,
      updated.group?.status,
    ],
    ['in_progress', null, 3, 'in_progress'],
  );
  await serverStarts();
  await catalog.completeArchive(archive_id, RESULT);
  const completed = await stateOf(archive_id);
  assert.deepEqual(
    [
      completed.archive?.status,
      completed.archive?.error_message,
      completed.group?.status,
      completed.group?.error_message,
    ],
    ['completed', null, 'completed', null],
  );
});

test('a progress update does not affect another operation that is active by now', async () => {
  const { archive_id } = await catalog.openArchive(newArchive());
  await sql(`UPDATE archives SET status = 'failed'`);
  const other = await catalog.openArchive(newArchive());
  await catalog.updateProgress(archive_id, { log_count: 3, size_bytes: 4 });
  const { archive } = await stateOf(archive_id);
  assert.deepEqual([archive?.status, archive?.log_count], ['failed', 3]);
  assert.equal((await stateOf(other.archive_id)).archive?.status, 'in_progress');
});

test('pending progress updates never overwrite the final status', async () => {
  for (let round = 0; round < 20; round++) {
    const { archive_id } = await catalog.openArchive(newArchive());
    const updates = [1, 2, 3].map((log_count) =>
      catalog.updateProgress(archive_id, { log_count, size_bytes: 1 }),
    );
    await catalog.failArchive(archive_id, 'no');
    await Promise.all(updates);
    assert.equal((await stateOf(archive_id)).archive?.status, 'failed');
  }
});

test('a deleted record cannot be completed', async () => {
  const { archive_id } = await catalog.openArchive(newArchive());
  await sql('DELETE FROM archives');
  await refuses('NOT_FOUND', catalog.completeArchive(archive_id, RESULT));
});

test('a dropped archive removes its group unless it has more archives', async () => {
  const first = await catalog.openArchive(newArchive());
  await catalog.dropArchive(first.archive_id);
  assert.deepEqual([await catalog.archives(), await catalog.groups()], [[], []]);

  const kept = await catalog.openArchive(newArchive());
  await catalog.completeArchive(kept.archive_id, RESULT);
  const dropped = await catalog.openArchive(newArchive());
  await sql('UPDATE archives SET group_id = $1', [kept.group_id]);
  await sql('UPDATE archive_groups SET archive_count = 2 WHERE id = $1', [kept.group_id]);
  await catalog.dropArchive(dropped.archive_id);
  const { group } = await stateOf(kept.archive_id);
  assert.deepEqual([group?.status, group?.archive_count], ['completed', 1]);
});

test('lists newest first, filtered by fractal and by id', async () => {
  const other = await newFractal('db');
  const ids: string[] = [];
  for (const id of [fractal_id, other]) {
    const { archive_id } = await catalog.openArchive(newArchive({ fractal_id: id }));
    await catalog.completeArchive(archive_id, RESULT);
    ids.push(archive_id);
  }
  assert.deepEqual(
    (await catalog.archives()).map(({ id }) => id),
    ids.toReversed(),
  );
  assert.deepEqual(
    (await catalog.archives({ fractal_id: other })).map(({ fractal_name }) => fractal_name),
    ['db'],
  );
  assert.deepEqual(
    (await catalog.archives({ ids: ids.slice(0, 1) })).map(({ id }) => id),
    ids.slice(0, 1),
  );
  assert.deepEqual(await catalog.archives({ ids: [] }), []);
  assert.deepEqual((await catalog.groups({ fractal_id: other })).length, 1);
  assert.deepEqual(
    (await catalog.fractals()).map(({ name }) => name),
    ['db', 'web'],
  );
});

test('large lists are fast', async (t) => {
  await sql(`INSERT INTO fractals (name) SELECT 'f' || i FROM generate_series(1, 1000) i`);
  await sql(
    `INSERT INTO archives (fractal_id, filename, storage_path, status, created_at)
     SELECT $1, 'file', 'path', 'completed', now() - i * interval '1 hour' FROM generate_series(1, 10000) i`,
    [fractal_id],
  );
  await catalog.archives();
  const begin = performance.now();
  const archives = await catalog.archives();
  const middle = performance.now();
  const fractals = await catalog.fractals();
  t.diagnostic(
    `10,000 archives ${Math.round(middle - begin)} ms, 1,000 fractals ${Math.round(performance.now() - middle)} ms`,
  );
  assert.deepEqual([archives.length, fractals.length], [10_000, 1001]);
  // Far above the usual time: fails on a change in complexity (a query per row), not on a busy machine.
  assert.ok(performance.now() - begin < 1500);
});

test('a signal ends a query with its reason, and the next query works', async () => {
  const reason = cancelled();
  const blocker = await connectCatalog(postgres);
  await assert.rejects(blocker.fractals({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
  const controller = new AbortController();
  const asking = blocker.archives({}, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(asking, (error) => error === reason);
  assert.deepEqual(await blocker.archives(), []);
  await blocker.close();
});

test('connection errors name their cause, without the password', async () => {
  const cases: [Partial<typeof postgres>, message: RegExp, hint: RegExp][] = [
    [{ port: 1 }, /:1\b.*ECONNREFUSED/, /POSTGRES_PORT/],
    [{ host: 'no-such-host.invalid' }, /no-such-host\.invalid/, /POSTGRES_HOST/],
    [{ password: 'falsch' }, new RegExp(postgres.user), /POSTGRES_PASSWORD/],
    [{ password: undefined }, new RegExp(postgres.user), /POSTGRES_PASSWORD/],
    [{ database: 'nowhere' }, /nowhere/, /POSTGRES_DB/],
  ];
  for (const [over, message, hint] of cases) {
    const other = await connectCatalog({ ...postgres, ...over });
    await assert.rejects(other.fractals(), { code: 'POSTGRES_UNREACHABLE', message, hint });
    await assert.rejects(other.fractals(), (error) => !String(error).includes('falsch'));
    await other.close();
  }
});

/** A completed archive. */
async function completedArchive(): Promise<{ archive_id: string; group_id: string }> {
  const opened = await catalog.openArchive(newArchive());
  await catalog.completeArchive(opened.archive_id, RESULT);
  return opened;
}

test('deleting an archive removes its file and its group, or nothing', async () => {
  const { archive_id } = await completedArchive();
  const seen: number[] = [];
  const failing = catalog.deleteArchive(archive_id, () => Promise.reject(new Error('disk')));
  await assert.rejects(failing, /disk/);
  assert.equal((await catalog.archives({ ids: [archive_id] })).length, 1);
  const deleted = await catalog.deleteArchive(archive_id, async () => {
    seen.push((await catalog.archives({ ids: [archive_id] })).length);
  });
  assert.deepEqual(
    [deleted, seen],
    [true, [1]],
    'others still see the record while the file is being removed',
  );
  assert.deepEqual([await catalog.archives(), await catalog.groups()], [[], []]);
  assert.equal(await catalog.deleteArchive(archive_id, () => Promise.reject(new Error('asked'))), false);
});

test('a group with a remaining archive is recounted; a group with archives cannot be deleted', async () => {
  const { archive_id, group_id } = await completedArchive();
  const other = await completedArchive();
  await sql('UPDATE archives SET group_id = $1 WHERE id = $2', [group_id, other.archive_id]);
  await sql('UPDATE archive_groups SET archive_count = 2 WHERE id = $1', [group_id]);
  await catalog.deleteArchive(archive_id, async () => undefined);
  const [group] = (await catalog.groups()).filter(({ id }) => id === group_id);
  assert.deepEqual([group?.archive_count, group?.total_log_count, group?.completed_count], [1, 7, 1]);
  await refuses('BUSY', catalog.deleteGroup(group_id));
  assert.equal(await catalog.deleteGroup(other.group_id), true);
  assert.equal(await catalog.deleteGroup(other.group_id), false);
});

function waiting() {
  return sql(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
}

test('an active archive cannot be deleted or moved, and a restore waits for a deletion to end', async () => {
  const { archive_id } = await completedArchive();
  for (const status of ['in_progress', 'restoring']) {
    await sql('UPDATE archives SET status = $1 WHERE id = $2', [status, archive_id]);
    const remove = () => Promise.reject(new Error('the file was asked for'));
    await refuses('BUSY', catalog.deleteArchive(archive_id, remove));
    await refuses('BUSY', catalog.moveArchive(archive_id, { storage_type: 's3', storage_path: 'x' }));
  }
  await sql(`UPDATE archives SET status = 'completed' WHERE id = $1`, [archive_id]);
  let restored: Promise<unknown> = Promise.resolve();
  await catalog.deleteArchive(archive_id, async () => {
    const restore = `UPDATE archives SET status = 'restoring' WHERE id = $1 RETURNING id`;
    restored = sql(restore, [archive_id]).then((rows) => assert.deepEqual(rows, []));
    await until(async () => (await waiting()).length > 0, LIMIT_MS, 'the restore waits');
  });
  await restored;
});

test('a completed archive can be moved, a missing one cannot', async () => {
  const { archive_id } = await completedArchive();
  await catalog.moveArchive(archive_id, { storage_type: 's3', storage_path: 'archives/there' });
  const [record] = await catalog.archives({ ids: [archive_id] });
  assert.deepEqual([record?.storage_type, record?.storage_path], ['s3', 'archives/there']);
  const missing = catalog.moveArchive(randomUUID(), { storage_type: 's3', storage_path: 'x' });
  await refuses('NOT_FOUND', missing);
});

test('reconnects after the server closed a connection', async () => {
  await catalog.fractals();
  await sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bifract-console' AND datname = current_database()`,
  );
  const works = async (): Promise<boolean> =>
    catalog.fractals().then(
      () => true,
      () => false,
    );
  await until(works, LIMIT_MS, 'the catalog reconnects');
});

async function restoreState(archive_id: string) {
  const [row] = await sql('SELECT status, restore_lines_sent, restore_error FROM archives WHERE id = $1', [
    archive_id,
  ]);
  return row;
}

async function completed(): Promise<string> {
  const { archive_id } = await catalog.openArchive(newArchive());
  await catalog.completeArchive(archive_id, RESULT);
  return archive_id;
}

test('a restore sets one archive after the other to restoring, and back to completed with its result', async () => {
  const [one, two] = [await completed(), await completed()];
  await catalog.beginRestore(one);
  await catalog.updateRestore(one, 5);
  assert.deepEqual(await restoreState(one), {
    status: 'restoring',
    restore_lines_sent: '5',
    restore_error: null,
  });
  await catalog.beginRestore(two, { archive_id: one, lines: 7, error: null });
  assert.equal((await restoreState(one))?.status, 'completed');
  assert.equal((await restoreState(one))?.restore_lines_sent, '7');
  await catalog.endRestore({ archive_id: two, lines: null, error: 'it broke' });
  assert.deepEqual(await restoreState(two), {
    status: 'completed',
    restore_lines_sent: '0',
    restore_error: 'it broke',
  });
});

test('a second active operation on a fractal is refused and names the active one', async () => {
  const [one, two] = [await completed(), await completed()];
  await catalog.beginRestore(one);
  await assert.rejects(catalog.beginRestore(two), { code: 'BUSY', message: /\.bifract-archive/ });
  await refuses('BUSY', catalog.beginRestore(one));
  await refuses('BUSY', catalog.openArchive(newArchive()));
  await catalog.endRestore({ archive_id: one, lines: 1, error: null });
  await catalog.openArchive(newArchive());
  await refuses('BUSY', catalog.beginRestore(two));
});

test('a server start does not disturb a running restore', async () => {
  const one = await completed();
  await catalog.beginRestore(one);
  await sql("UPDATE archives SET status = 'completed' WHERE status = 'restoring'");
  await catalog.updateRestore(one, 3);
  assert.equal((await restoreState(one))?.status, 'restoring');
  await sql("UPDATE archives SET status = 'completed' WHERE status = 'restoring'");
  const { archive_id } = await catalog.openArchive(newArchive());
  await catalog.updateRestore(one, 4);
  await catalog.endRestore({ archive_id: one, lines: 4, error: null });
  assert.deepEqual(await restoreState(one), {
    status: 'completed',
    restore_lines_sent: '4',
    restore_error: null,
  });
  assert.equal((await restoreState(archive_id))?.status, 'in_progress');
});

test('the token of a fractal is its active default one, else another active one', async () => {
  assert.equal(await catalog.ingestToken(fractal_id), null);
  await sql(
    `INSERT INTO ingest_tokens (fractal_id, name, token_value, is_active, is_default) VALUES
      ($1, 'a', 'token-a', true, false), ($1, 'b', 'token-b', true, true), ($1, 'c', 'token-c', false, false)`,
    [fractal_id],
  );
  assert.equal(await catalog.ingestToken(fractal_id), 'token-b');
  await sql("UPDATE ingest_tokens SET is_active = false WHERE token_value = 'token-b'");
  assert.equal(await catalog.ingestToken(fractal_id), 'token-a');
});

test('lists return any values unchanged', async () => {
  const { archive_id, group_id } = await catalog.openArchive(newArchive({ archive_end_ts: null }));
  const odd = ['plain', 'a, "b" \\ \'c\' {d} ünï 🙂\n', '', '\u001f', 'x\u001fy\u001ez'];
  for (const text of odd) {
    await sql(
      'UPDATE archives SET error_message = $2, checksum = $2, log_count = 9007199254740991 WHERE id = $1',
      [archive_id, text],
    );
    await sql('UPDATE archive_groups SET error_message = $2 WHERE id = $1', [group_id, text]);
    const [record] = await catalog.archives();
    assert.deepEqual(
      [record?.error_message, record?.checksum, record?.log_count],
      [text, text, 9007199254740991],
    );
    assert.deepEqual(
      [record?.period_label, record?.archive_end_ts, record?.time_range_start, record?.format_version],
      [null, null, null, 1],
    );
    assert.match(record?.created_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    const [group] = await catalog.groups();
    assert.deepEqual([group?.error_message, group?.archive_count, group?.created_by], [text, 1, null]);
  }
});
