import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { connectCatalog } from '../../../../../src/core/adapters/postgres/catalog/catalog.ts';
import { cancelled } from '../../../../../src/core/contract/errors.ts';

import { catalogContract, newArchive } from '../../../../contracts/catalog.ts';
import { testServices } from '../../../../helpers/services.ts';
import { LIMIT_MS, until } from '../../../../helpers/until.ts';

const { postgres, sql } = await testServices();
const catalog = await connectCatalog(postgres);
after(() => catalog.close());

catalogContract('the records in PostgreSQL', async () => {
  await sql('DELETE FROM fractals');
  return catalog;
});

let fractal_id: string;

beforeEach(async () => {
  await sql('DELETE FROM fractals');
  fractal_id = await newFractal('web');
});

async function newFractal(name: string): Promise<string> {
  const [row] = await sql<{ id: string }>('INSERT INTO fractals (name) VALUES ($1) RETURNING id', [name]);
  return row?.id ?? '';
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
    const { archive_id } = await other.openArchive(newArchive(fractal_id));
    const { archive } = await stateOf(archive_id);
    assert.ok(Math.abs(Date.parse(archive?.created_at ?? '') - Date.now()) < 60_000);
  } finally {
    await other.close();
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
    await sql('ALTER ROLE CURRENT_USER RESET timezone');
  }
});

test('a count that cannot be true hides no other row, and is not taken for one that can', async () => {
  const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
  const other = (await catalog.fractals()).find(({ id }) => id !== fractal_id);
  for (const count of ['9223372036854775807', '-9223372036854775808']) {
    await sql(`UPDATE fractals SET log_count = ${count}, size_bytes = ${count} WHERE id = '${fractal_id}'`);
    await sql(`UPDATE archives SET log_count = ${count}, size_bytes = ${count} WHERE id = '${archive_id}'`);
    const fractals = await catalog.fractals();
    assert.deepEqual(
      fractals.find(({ id }) => id === other?.id),
      other,
    );
    const [archive] = await catalog.archives({ ids: [archive_id] });
    for (const row of [fractals.find(({ id }) => id === fractal_id), archive]) {
      assert.equal(row?.log_count, Number(count));
      assert.equal(Number.isSafeInteger(row?.size_bytes), false);
    }
  }
});

test('a refused archive names the active one, since when it runs, and whether it is being restored', async () => {
  const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
  const started = new RegExp(`web.* ${new Date().getUTCFullYear()}-.*${newArchive(fractal_id).filename}`);
  await assert.rejects(catalog.openArchive(newArchive(fractal_id)), { code: 'BUSY', message: started });
  await sql(`UPDATE archives SET status = 'restoring'`);
  const restored = new RegExp(`web.*${newArchive(fractal_id).filename}`);
  await assert.rejects(catalog.openArchive(newArchive(fractal_id)), { code: 'BUSY', message: restored });
  assert.equal((await catalog.groups()).length, 1);
  await catalog.completeArchive(archive_id, RESULT);
  await catalog.openArchive(newArchive(fractal_id));
});

test('the status is corrected after a server start set it to failed', async () => {
  const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
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

test('pending progress updates never overwrite the final status', async () => {
  for (let round = 0; round < 20; round++) {
    const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
    const updates = [1, 2, 3].map((log_count) =>
      catalog.updateProgress(archive_id, { log_count, size_bytes: 1 }),
    );
    await catalog.failArchive(archive_id, 'no');
    await Promise.all(updates);
    assert.equal((await stateOf(archive_id)).archive?.status, 'failed');
  }
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
  const opened = await catalog.openArchive(newArchive(fractal_id));
  await catalog.completeArchive(opened.archive_id, RESULT);
  return opened;
}

test('an empty group is removed when it is closed and expects no archives, or when it is deleted', async () => {
  const groups: string[] = [];
  for (const split of ['none', 'day']) {
    const { archive_id, group_id } = await catalog.openArchive(newArchive(fractal_id, { split }));
    await sql('DELETE FROM archives WHERE id = $1', [archive_id]);
    groups.push(group_id);
  }
  const [closed = '', deleted = ''] = groups;
  await catalog.closeGroup(closed, { missing: 0, message: null });
  assert.deepEqual(
    (await catalog.groups()).map(({ id }) => id),
    [deleted],
  );
  assert.equal(await catalog.deleteGroup(deleted), true);
  assert.equal(await catalog.deleteGroup(deleted), false);
});

function waiting() {
  return sql(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
}

test('a restore waits for a deletion to end', async () => {
  const { archive_id } = await completedArchive();
  let restored: Promise<unknown> = Promise.resolve();
  await catalog.deleteArchive(archive_id, async () => {
    const restore = `UPDATE archives SET status = 'restoring' WHERE id = $1 RETURNING id`;
    restored = sql(restore, [archive_id]).then((rows) => assert.deepEqual(rows, []));
    await until(async () => (await waiting()).length > 0, LIMIT_MS, 'the restore waits');
  });
  await restored;
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
  const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
  await catalog.completeArchive(archive_id, RESULT);
  return archive_id;
}

test('the record of a restore has the rows sent and the error', async () => {
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

test('a server start does not disturb a running restore', async () => {
  const one = await completed();
  await catalog.beginRestore(one);
  await sql("UPDATE archives SET status = 'completed' WHERE status = 'restoring'");
  await catalog.updateRestore(one, 3);
  assert.equal((await restoreState(one))?.status, 'restoring');
  await sql("UPDATE archives SET status = 'completed' WHERE status = 'restoring'");
  const { archive_id } = await catalog.openArchive(newArchive(fractal_id));
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
  const { archive_id, group_id } = await catalog.openArchive(
    newArchive(fractal_id, { archive_end_ts: null }),
  );
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
