import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { copy } from '../../../../src/core/features/copy/copy.ts';
import { planCopy } from '../../../../src/core/features/copy/plan.ts';
import { deletePlanned } from '../../../../src/core/features/delete/delete.ts';
import { planDelete } from '../../../../src/core/features/delete/plan.ts';
import { namesOf } from '../../../../src/core/features/files/target.ts';
import { writeBackup } from '../../../../src/core/format/index.ts';
import { archivePath } from '../../../../src/core/policy/names.ts';
import type { ArchiveRecord } from '../../../../src/core/ports/catalog.ts';
import { fakeDump } from '../../../helpers/fake-dump.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { KEY, OTHER_KEY } from '../../../helpers/sealed.ts';
import { collect, inPieces } from '../../../helpers/streams.ts';
import {
  archiveRecord,
  FILE_NAME,
  FILE_PATH,
  numberedLines,
  sealedArchive,
} from '../../../helpers/targets.ts';

const OTHER_FRACTAL = '99999999-2222-4333-8444-555555555555';
const MANIFEST = { version: '1', timestamp: '2026-03-01T00:00:00Z', type: 'postgres', env_vars: {} };

function setUp() {
  // One folder or bucket for both, as on S3 and on installations without Docker.
  const storage = new MemoryStorage();
  const other = new MemoryStorage('s3');
  const catalog = new FakeCatalog();
  const services = fakeServices({
    archives: storage,
    backups: storage,
    storageOf: async (_, type) => (type === 's3' ? other : storage),
    catalog,
    state: new FakeState(),
    keys: [KEY],
    now: new Date('2026-03-31T12:00:00Z'),
  });
  const put = (name: string, bytes: Buffer) => storage.put(name, inPieces(bytes, 1000));
  const names = async () => (await Array.fromAsync(storage.list(''))).map(({ name }) => name);
  return { storage, other, catalog, services, put, names };
}

function add({ catalog }: ReturnType<typeof setUp>, bytes: Buffer, given: Partial<ArchiveRecord> = {}) {
  const record = archiveRecord({ size_bytes: bytes.length, log_count: 4, ...given });
  catalog.records.set(record.id, record);
  return record;
}

async function deleteIt({ services }: ReturnType<typeof setUp>, id: string) {
  const plan = await planDelete(services, [{ kind: 'archive', id }]);
  const code = await deletePlanned(services, { kind: 'delete', plan }, jobContext()).then(
    () => 'done',
    (error: BifractError) => error.code,
  );
  return { action: plan.items[0]?.action, refusal: plan.items[0]?.refusal?.code, code };
}

const KEPT = { action: 'keep', refusal: 'RECORD_DIFFERS', code: 'RECORD_DIFFERS' };

test('a record that names anything but its own file deletes nothing', async () => {
  const bytes = await sealedArchive(numberedLines(4));
  const victim = archivePath(OTHER_FRACTAL, FILE_NAME.replace(FRACTAL_ID, OTHER_FRACTAL));
  const paths = [
    '',
    '.env',
    'bifract-backup-20260301-000000.bifract-backup',
    `/${FILE_PATH}`,
    `./${FILE_PATH}`,
    `archives//${FRACTAL_ID}/${FILE_NAME}`,
    `archives/${FRACTAL_ID}/../${FRACTAL_ID}/${FILE_NAME}`,
    `archives/${FRACTAL_ID}/sub/${FILE_NAME}`,
    `archives/${FRACTAL_ID}/${FILE_NAME}.rekey`,
    `archives/${FRACTAL_ID}/${FILE_NAME}\u0000`,
    `\uff41${FILE_PATH.slice(1)}`,
    FILE_PATH.toUpperCase(),
    victim,
    'x'.repeat(5000),
  ];
  for (const storage_path of paths) {
    const set = setUp();
    await set.put(FILE_PATH, bytes);
    await set.put(victim, bytes);
    await set.put('bifract-backup-20260301-000000.bifract-backup', bytes);
    const before = await set.names();
    const { id } = add(set, bytes, { storage_path });
    assert.deepEqual(await deleteIt(set, id), KEPT, JSON.stringify(storage_path.slice(0, 80)));
    const plan = await planCopy(set.services, [id], { to: 's3', move: true });
    assert.equal(plan.items[0]?.refusal?.code, 'RECORD_DIFFERS');
    assert.deepEqual(await set.names(), before);
    assert.ok(set.catalog.records.has(id));
  }
});

test('a record with a file name that is none of its fractal has no file', async () => {
  const names = ['notes.txt', '../../.env', '', FILE_NAME.replace(FRACTAL_ID, OTHER_FRACTAL)];
  for (const filename of [...names, FILE_NAME.replace('-2026', `-${'l'.repeat(60)}-2026`)]) {
    const set = setUp();
    const record = add(set, Buffer.alloc(3), { filename, storage_path: archivePath(FRACTAL_ID, filename) });
    assert.deepEqual(namesOf(record), [], filename);
    assert.deepEqual(await deleteIt(set, record.id), KEPT, filename);
  }
});

test('a file is deleted only if it is the archive of its record', async () => {
  const bytes = await sealedArchive(numberedLines(4));
  const dump = inPieces(fakeDump(), 5);
  const backup = await collect(writeBackup(MANIFEST, dump, { key: KEY, head: { tool: 'test' } }).bytes);
  const longer = await sealedArchive(numberedLines(9));
  const broken = Buffer.from(bytes);
  broken[40] = (broken[40] as number) ^ 1;
  const foreign = await sealedArchive(numberedLines(4), OTHER_KEY);
  const sum = createHash('sha256').update(foreign).digest('hex');
  const cases: [string, Buffer, Partial<ArchiveRecord>, string][] = [
    ['its own', bytes, {}, 'done'],
    ['a backup', backup, {}, 'RECORD_DIFFERS'],
    ['another archive', longer, { size_bytes: longer.length }, 'COUNT_DIFFERS'],
    ['of another size', bytes, { size_bytes: 7 }, 'RECORD_DIFFERS'],
    ['a text', Buffer.from('services: {}\n'.repeat(20)), {}, 'NOT_BIFRACT'],
    ['damaged at the start', broken, {}, 'DAMAGED'],
    ['cut off at the end', bytes.subarray(0, -3), {}, 'done'],
    ['with an unknown key', foreign, {}, 'WRONG_KEY'],
    ['with an unknown key, but byte for byte the recorded one', foreign, { checksum: sum }, 'done'],
    ['with an unknown key and another checksum', foreign, { checksum: 'ab'.repeat(32) }, 'WRONG_KEY'],
  ];
  for (const [what, content, given, expected] of cases) {
    const set = setUp();
    await set.put(FILE_PATH, content);
    const { id } = add(set, content, given);
    const { code } = await deleteIt(set, id);
    assert.equal(code, expected, what);
    assert.deepEqual(await set.names(), expected === 'done' ? [] : [FILE_PATH], what);
  }
});

test('a file that two records name is kept, and the rest of the job goes on', async () => {
  const set = setUp();
  const bytes = await sealedArchive(numberedLines(4));
  const own = FILE_NAME.replace('123456', '123457');
  await set.put(FILE_PATH, bytes);
  await set.put(archivePath(FRACTAL_ID, own), bytes);
  const [one] = ['1', '2'].map((end) => add(set, bytes, { id: `bbbbbbbb-0000-4000-8000-00000000000${end}` }));
  const third = add(set, bytes, { filename: own, storage_path: archivePath(FRACTAL_ID, own) });
  const targets = [one, third].map((record) => ({ kind: 'archive' as const, id: record?.id ?? '' }));
  const plan = await planDelete(set.services, targets);
  assert.deepEqual(
    plan.items.map(({ action }) => action),
    ['keep', 'delete'],
  );
  const { deleted, kept } = await deletePlanned(set.services, { kind: 'delete', plan }, jobContext());
  assert.deepEqual([deleted, kept], [1, 1]);
  assert.deepEqual(await set.names(), [FILE_PATH]);
});

test('a file that its storage cannot read is kept with the reason, and the rest is deleted', async () => {
  for (const code of ['STORAGE_DENIED', 'STORAGE_FAILED'] as const) {
    const set = setUp();
    const bytes = await sealedArchive(numberedLines(4));
    const own = FILE_NAME.replace('123456', '123457');
    await set.put(FILE_PATH, bytes);
    await set.put(archivePath(FRACTAL_ID, own), bytes);
    const frozen = add(set, bytes, { id: 'bbbbbbbb-0000-4000-8000-000000000001' });
    const good = add(set, bytes, { filename: own, storage_path: archivePath(FRACTAL_ID, own) });
    const read = set.storage.read.bind(set.storage);
    set.storage.read = async (name, ...rest) => {
      if (name === FILE_PATH) throw new BifractError(code, 'frozen', { hint: 'Thaw it.' });
      return read(name, ...rest);
    };
    const targets = [frozen, good].map(({ id }) => ({ kind: 'archive' as const, id }));
    const plan = await planDelete(set.services, targets);
    assert.deepEqual(
      plan.items.map(({ action, refusal }) => [action, refusal?.code, refusal?.hint]),
      [
        ['keep', code, 'Thaw it.'],
        ['delete', undefined, undefined],
      ],
    );
    const { deleted, kept } = await deletePlanned(set.services, { kind: 'delete', plan }, jobContext());
    assert.deepEqual([deleted, kept], [1, 1]);
    assert.deepEqual(await set.names(), [FILE_PATH]);
  }
});

test('what is swapped after the plan is kept: file, record, record of another file', async () => {
  const bytes = await sealedArchive(numberedLines(4));
  const swaps: ((set: ReturnType<typeof setUp>, record: ArchiveRecord) => Promise<void> | void)[] = [
    async ({ storage, put }) => {
      await storage.delete(FILE_PATH);
      await put(FILE_PATH, await sealedArchive(numberedLines(5)));
    },
    ({ catalog }, record) => void catalog.records.set(record.id, { ...record, storage_path: '.env' }),
    ({ catalog }, record) => void catalog.records.set('double', { ...record, id: 'double' }),
    ({ catalog }, record) => void catalog.records.set(record.id, { ...record, log_count: 5 }),
  ];
  for (const [index, swap] of swaps.entries()) {
    const set = setUp();
    await set.put(FILE_PATH, bytes);
    const record = add(set, bytes);
    const plan = await planDelete(set.services, [{ kind: 'archive', id: record.id }]);
    assert.equal(plan.items[0]?.action, 'delete');
    await swap(set, record);
    await assert.rejects(
      deletePlanned(set.services, { kind: 'delete', plan }, jobContext()),
      `swap ${index}`,
    );
    assert.deepEqual(await set.names(), [FILE_PATH]);
    assert.ok(set.catalog.records.has(record.id));
  }
});

test('a moved archive must be the one of its record', async () => {
  const set = setUp();
  const bytes = await sealedArchive(numberedLines(4));
  await set.put(FILE_PATH, bytes);
  const { id } = add(set, bytes);
  const plan = await planCopy(set.services, [id], { to: 's3', move: true });
  set.catalog.records.set(id, { ...(set.catalog.records.get(id) as ArchiveRecord), storage_path: 'x' });
  await assert.rejects(copy(set.services, { kind: 'copy', plan }, jobContext()), { code: 'RECORD_DIFFERS' });
  assert.deepEqual(await set.names(), [FILE_PATH]);
  assert.deepEqual(await Array.fromAsync(set.other.list('')), []);
});
