import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { BifractError } from '../../../../src/core/contract/errors.ts';
import { backup } from '../../../../src/core/features/backup/backup.ts';
import { verifyFile } from '../../../../src/core/features/inspect/verify-file.ts';
import { writeBackup } from '../../../../src/core/format/index.ts';
import { type FakeTable, fakeDump } from '../../../helpers/fake-dump.ts';
import { FakeDatabase, FakeDumpTool, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { KEY } from '../../../helpers/sealed.ts';
import { inPieces } from '../../../helpers/streams.ts';
import { storedTarget } from '../../../helpers/targets.ts';

const TABLES: (FakeTable & { size_bytes: number; crc32?: number })[] = [
  { schema: 'public', name: 'users', rows: 3, size_bytes: 8192, crc32: crc32('x\nx\nx\n') },
  { schema: 'public', name: 'alerts', rows: 0, size_bytes: 0, crc32: 0 },
  { schema: 'odd "schema"', name: 'logs', rows: 200, size_bytes: 65_536, text: 'y'.repeat(500) },
];

/** Backs up a database with these tables by a pg_dump that exits with 0 and writes this. */
async function backUp(written: Buffer, { large_objects = 0 } = {}) {
  const backups = new MemoryStorage();
  const dumpTool = new FakeDumpTool();
  dumpTool.content = [written];
  const services = fakeServices({
    database: Object.assign(new FakeDatabase(TABLES), { large_objects }),
    dumpTool,
    backups,
    state: new FakeState(),
    key: KEY,
    variables: {},
    installation: { dir: '', key_id: null, storage: '', read_only: false, version: '1.0.0' },
  });
  const outcome = await backup(services, { kind: 'backup' }, jobContext()).then(
    () => undefined,
    (error: BifractError) => error,
  );
  return { error: outcome, files: await Array.fromAsync(backups.list('')) };
}

test('a complete dump is sealed', async () => {
  const { error, files } = await backUp(fakeDump(TABLES));
  assert.deepEqual([error, files.length], [undefined, 1]);
});

test('a dump that lost its end is never sealed, wherever it ends', async () => {
  const dump = fakeDump(TABLES);
  for (let length = 0; length < dump.length; length += length < 1000 ? 37 : 4001) {
    const { error, files } = await backUp(dump.subarray(0, length));
    assert.equal(error?.code, 'CUT_OFF', `${length} of ${dump.length} bytes`);
    assert.ok(error?.hint);
    assert.deepEqual(files, []);
  }
});

test('a dump that pg_restore would accept, but that lacks a table or rows, is never sealed', async () => {
  const mutilated: [string, FakeTable[]][] = [
    ['CUT_OFF', TABLES.slice(0, 2)],
    ['CUT_OFF', TABLES.slice(1)],
    ['CUT_OFF', []],
    ...TABLES.filter(({ rows }) => rows > 0).map((table): [string, FakeTable[]] => [
      'COUNT_DIFFERS',
      TABLES.map((one) => (one === table ? { ...one, rows: one.rows - 1 } : one)),
    ]),
    ['COUNT_DIFFERS', TABLES.map((one) => ({ ...one, rows: one.rows + 1 }))],
  ];
  for (const [code, tables] of mutilated) {
    const { error, files } = await backUp(fakeDump(tables));
    assert.deepEqual([error?.code, files.length], [code, 0], JSON.stringify(tables.map(({ name }) => name)));
  }
});

test('a dump with another value is never sealed, if the table has a checksum', async () => {
  const changed = (name: string) => TABLES.map((one) => (one.name === name ? { ...one, text: 'z' } : one));
  const { error, files } = await backUp(fakeDump(changed('users')));
  assert.deepEqual([error?.code, files], ['DAMAGED', []]);
  assert.ok(error?.message.includes('public.users') && error.hint);
  assert.equal((await backUp(fakeDump(changed('logs')))).error, undefined);
});

test('verify proves the same for a stored file: its seal may be intact around an incomplete dump', async () => {
  const dumps: [string | undefined, Buffer][] = [
    [undefined, fakeDump(TABLES)],
    ['CUT_OFF', fakeDump(TABLES).subarray(0, -1)],
    ['CUT_OFF', Buffer.alloc(0)],
    ['COUNT_DIFFERS', fakeDump(TABLES.map((one) => ({ ...one, rows: 1 })))],
    ['DAMAGED', fakeDump(TABLES.map((one) => ({ ...one, text: 'z' })))],
  ];
  const manifest = {
    version: '1.0.0',
    timestamp: '2026-03-01T12:00:00Z',
    type: 'postgres' as const,
    env_vars: {},
    bifract_console: {
      format: 1 as const,
      tool: 'test',
      server_version: '16.1',
      pg_dump_version: '16.1',
      database: 'bifract',
      database_bytes: 1,
      tables: TABLES.map(({ text, ...table }) => table),
    },
  };
  for (const [code, dump] of dumps) {
    const file = writeBackup(manifest, inPieces(dump, 1000), { key: KEY, head: { tool: 'test' } });
    const bytes = Buffer.concat(await Array.fromAsync(file.bytes));
    const target = await storedTarget(bytes, { name: 'bifract-backup-20260301-120000.bifract-backup' });
    const item = await verifyFile(target, { keys: [KEY], quick: false });
    const counts = code === undefined ? [203, 2] : [null, null];
    assert.deepEqual([item.error?.code, item.rows, item.compared_tables], [code, ...counts]);
  }
});

test('a dump whose rows cannot be counted, or that does not create a table, is never sealed', async () => {
  const compressed = Buffer.from(fakeDump(TABLES));
  // The compression level, behind the magic, the version and the sizes.
  compressed[12] = 6;
  assert.equal((await backUp(compressed)).error?.code, 'DAMAGED');
  const renamed = Buffer.from(fakeDump(TABLES).toString('latin1').replace('alerts', 'alertz'), 'latin1');
  const { error, files } = await backUp(renamed);
  assert.deepEqual([error?.code, files], ['CUT_OFF', []]);
});

test('a dump without the large objects of the snapshot is never sealed', async () => {
  const { error, files } = await backUp(fakeDump(TABLES), { large_objects: 2 });
  assert.deepEqual([error?.code, files], ['COUNT_DIFFERS', []]);
});
