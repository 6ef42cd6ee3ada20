import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { backup } from '../../../../src/core/features/backup/backup.ts';
import { generateKey, parseKey } from '../../../../src/core/format/index.ts';
import { FakeDatabase, FakeDumpTool, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { openContent as readPlain } from '../../../helpers/plain-reader.ts';

const NAME = 'bifract-backup-20260301-123456.bifract-backup';

function setUp() {
  const hex = generateKey();
  const fakes = {
    database: new FakeDatabase([
      { schema: 'public', name: 'users', rows: 3, crc32: crc32('x\nx\nx\n'), size_bytes: 8192 },
    ]),
    dumpTool: new FakeDumpTool(),
    backups: new MemoryStorage(),
    state: new FakeState(),
    key: parseKey(hex),
    variables: { POSTGRES_DB: 'bifract', BIFRACT_BACKUP_ENCRYPTION_KEY: hex },
    installation: { dir: '', key_id: null, storage: '', read_only: false, version: '1.0.0' },
  };
  const run = (context = jobContext()) => backup(fakeServices(fakes), { kind: 'backup' }, context);
  return { ...fakes, run, hex };
}

async function stored(storage: MemoryStorage): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ name }) => name);
}

test('a backup contains manifest and dump of one snapshot, and no trace of the key', async () => {
  const { run, backups, dumpTool, hex } = setUp();
  const context = jobContext();
  const summary = await run(context);
  const { size_bytes } = (await backups.stat(NAME)) ?? {};
  assert.deepEqual(
    { ...summary, checksum: '', duration_ms: 0 },
    {
      name: NAME,
      storage_type: 'disk',
      size_bytes,
      content_bytes: summary.content_bytes,
      checksum: '',
      tables: 1,
      rows: 3,
      compared_tables: 1,
      duration_ms: 0,
    },
  );
  assert.deepEqual(dumpTool.snapshots, ['00000003-1']);
  const content = readPlain(await backups.read(NAME, 0, size_bytes ?? 0), hex).toString();
  assert.equal(content.length, summary.content_bytes);
  const [manifest = '', dump] = content.split('\n---BIFRACT_BACKUP_SEPARATOR---\n');
  assert.ok(dump?.startsWith('PGDMP'));
  const { env_vars, bifract_console, timestamp, type } = JSON.parse(manifest);
  assert.deepEqual(
    { env_vars, timestamp, type },
    { env_vars: { POSTGRES_DB: 'bifract' }, timestamp: '2026-03-01T12:34:56.789Z', type: 'postgres' },
  );
  assert.equal(bifract_console.tables[0].rows, 3);
  assert.equal(bifract_console.tables[0].crc32, crc32('x\nx\nx\n'));
  assert.ok(!content.includes(hex));
  assert.ok(!JSON.stringify(context.events).includes(hex));
});

test('progress reports table, bytes and an estimate', async () => {
  const { run } = setUp();
  const context = jobContext();
  await run(context);
  const last = context.events.findLast(({ event }) => event === 'job:progress');
  assert.ok(last?.event === 'job:progress');
  assert.equal(last.item, 'public.users');
  assert.equal(last.total_bytes, 8192);
  assert.ok((last.bytes_in ?? 0) > 0 && (last.bytes_out ?? 0) > 0);
});

test('a failed dump leaves no file, no open snapshot and no job record', async () => {
  const { run, backups, database, dumpTool, state } = setUp();
  dumpTool.error = new BifractError('DUMP_FAILED', 'pg_dump: error: connection lost');
  await assert.rejects(run(), { code: 'DUMP_FAILED', message: /connection lost/ });
  assert.deepEqual(await stored(backups), []);
  assert.equal(database.open, 0);
  assert.deepEqual(await state.running(), []);
});

test('what a failed backup could not remove is left to a later job', async () => {
  const { run, backups, state } = setUp();
  backups.put = async (_name, _content, options) => {
    options?.onLeft?.();
    throw new BifractError('STORAGE_DENIED', 'no');
  };
  await assert.rejects(run(), { code: 'STORAGE_DENIED' });
  const [record] = await state.interrupted();
  assert.deepEqual([record?.object, await state.running()], [NAME, []]);
});

test('a second backup within the same second takes the next name and keeps the first', async () => {
  const { run, backups } = setUp();
  await run();
  const before = await backups.read(NAME, 0, 1e6);
  const second = await run();
  assert.equal(second.name, 'bifract-backup-20260301-123457.bifract-backup');
  assert.deepEqual(await backups.read(NAME, 0, 1e6), before);
});

test('a storage that loses bytes is detected, and the file is deleted', async () => {
  const { run, backups } = setUp();
  const put = backups.put.bind(backups);
  backups.put = async (...args) => {
    const object = await put(...args);
    return { ...object, size_bytes: object.size_bytes - 1 };
  };
  await assert.rejects(run(), { code: 'DAMAGED' });
  assert.deepEqual(await stored(backups), []);
});

test('an abort rejects with its reason and leaves nothing', async () => {
  const { run, backups, dumpTool } = setUp();
  const controller = new AbortController();
  const reason = new BifractError('CANCELLED', 'enough');
  const { dump } = dumpTool;
  dumpTool.dump = async function* (options) {
    if (options.only_definitions) return yield* dump.call(this, options);
    yield Buffer.from('some');
    controller.abort(reason);
    yield Buffer.from('more');
  };
  await assert.rejects(run(jobContext(controller.signal)), reason);
  assert.deepEqual(await stored(backups), []);
});
