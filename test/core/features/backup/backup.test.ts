import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../../../../src/core/adapters/storage/memory.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { type BackupDeps, backup } from '../../../../src/core/features/backup/backup.ts';
import { generateKey, parseKey } from '../../../../src/core/format/index.ts';
import { FakeDatabase, FakeDumpTool, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { openContent as readPlain } from '../../../helpers/plain-reader.ts';

const NAME = 'bifract-backup-20260301-123456.bifract-backup';

function setUp() {
  const hex = generateKey();
  const deps = {
    database: new FakeDatabase([{ schema: 'public', name: 'users', rows: 3, size_bytes: 8192 }]),
    dumpTool: new FakeDumpTool(),
    storage: new MemoryStorage(),
    state: new FakeState(),
    key: parseKey(hex),
    variables: { POSTGRES_DB: 'bifract', BIFRACT_BACKUP_ENCRYPTION_KEY: hex },
    version: '1.0.0',
  } satisfies BackupDeps;
  return { deps, hex };
}

async function stored(storage: MemoryStorage): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ name }) => name);
}

test('a backup contains manifest and dump of one snapshot, and no trace of the key', async () => {
  const { deps, hex } = setUp();
  const context = jobContext();
  const summary = await backup(deps, context);
  const { size_bytes } = (await deps.storage.stat(NAME)) ?? {};
  assert.deepEqual(
    { ...summary, checksum: '', duration_ms: 0 },
    {
      name: NAME,
      storage_type: 'memory',
      size_bytes,
      content_bytes: summary.content_bytes,
      checksum: '',
      tables: 1,
      rows: 3,
      duration_ms: 0,
    },
  );
  assert.deepEqual(deps.dumpTool.snapshots, ['00000003-1']);
  const content = readPlain(await deps.storage.read(NAME, 0, size_bytes ?? 0), hex).toString();
  assert.equal(content.length, summary.content_bytes);
  const [manifest = '', dump] = content.split('\n---BIFRACT_BACKUP_SEPARATOR---\n');
  assert.equal(dump, 'PGDMP dump');
  const { env_vars, bifract_console, timestamp, type } = JSON.parse(manifest);
  assert.deepEqual(
    { env_vars, timestamp, type },
    { env_vars: { POSTGRES_DB: 'bifract' }, timestamp: '2026-03-01T12:34:56.789Z', type: 'postgres' },
  );
  assert.equal(bifract_console.tables[0].rows, 3);
  assert.ok(!content.includes(hex));
  assert.ok(!JSON.stringify(context.events).includes(hex));
});

test('progress reports table, bytes and an estimate', async () => {
  const { deps } = setUp();
  const context = jobContext();
  await backup(deps, context);
  const last = context.events.findLast(({ event }) => event === 'job:progress');
  assert.ok(last?.event === 'job:progress');
  assert.equal(last.item, 'public.users');
  assert.equal(last.total_bytes, 8192);
  assert.ok((last.bytes_in ?? 0) > 0 && (last.bytes_out ?? 0) > 0);
});

test('a failed dump leaves no file, no open snapshot and no job record', async () => {
  const { deps } = setUp();
  deps.dumpTool.error = new BifractError('DUMP_FAILED', 'pg_dump: error: connection lost');
  await assert.rejects(backup(deps, jobContext()), { code: 'DUMP_FAILED', message: /connection lost/ });
  assert.deepEqual(await stored(deps.storage), []);
  assert.equal(deps.database.open, 0);
  assert.deepEqual(await deps.state.running(), []);
});

test('a second backup within the same second takes the next name and keeps the first', async () => {
  const { deps } = setUp();
  await backup(deps, jobContext());
  const before = await deps.storage.read(NAME, 0, 1e6);
  const second = await backup(deps, jobContext());
  assert.equal(second.name, 'bifract-backup-20260301-123457.bifract-backup');
  assert.deepEqual(await deps.storage.read(NAME, 0, 1e6), before);
});

test('a storage that loses bytes is detected, and the file is deleted', async () => {
  const { deps } = setUp();
  const put = deps.storage.put.bind(deps.storage);
  deps.storage.put = async (...args) => {
    const object = await put(...args);
    return { ...object, size_bytes: object.size_bytes - 1 };
  };
  await assert.rejects(backup(deps, jobContext()), { code: 'DAMAGED' });
  assert.deepEqual(await stored(deps.storage), []);
});

test('an abort rejects with its reason and leaves nothing', async () => {
  const { deps } = setUp();
  const controller = new AbortController();
  const reason = new BifractError('CANCELLED', 'enough');
  deps.dumpTool.dump = async function* () {
    yield Buffer.from('some');
    controller.abort(reason);
    yield Buffer.from('more');
  };
  await assert.rejects(backup(deps, jobContext(controller.signal)), reason);
  assert.deepEqual(await stored(deps.storage), []);
});
