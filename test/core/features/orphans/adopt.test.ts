import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { adopt } from '../../../../src/core/features/orphans/adopt.ts';
import { planAdopt } from '../../../../src/core/features/orphans/plan-adopt.ts';
import { parseKey } from '../../../../src/core/format/index.ts';
import { archivePath } from '../../../../src/core/policy/names.ts';
import type { Key } from '../../../../src/core/ports/key.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, fractal, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { archiveLine, KEY, OTHER_KEY } from '../../../helpers/sealed.ts';
import { inPieces } from '../../../helpers/streams.ts';
import {
  archiveRecord,
  FILE_NAME,
  FILE_PATH,
  numberedLines,
  sealedArchive,
} from '../../../helpers/targets.ts';
import { loadVectors, vectorBytes } from '../../../helpers/vectors.ts';

function setUp(keys: Key[] = [KEY]) {
  const parts = { catalog: new FakeCatalog(), archives: new MemoryStorage(), keys, state: new FakeState() };
  return { catalog: parts.catalog, storage: parts.archives, services: fakeServices(parts) };
}

async function put(storage: MemoryStorage, bytes: Buffer, name = FILE_PATH): Promise<void> {
  await storage.put(name, inPieces(bytes, 65_536));
}

test('a file without a record gets a record that describes it', async () => {
  const set = setUp();
  const bytes = await sealedArchive(numberedLines(20));
  await put(set.storage, bytes);
  const plan = await planAdopt(set.services);
  assert.deepEqual(
    plan.items.map(({ path, rows, action, fractal_known }) => ({ path, rows, action, fractal_known })),
    [{ path: FILE_PATH, rows: 20, action: 'adopt', fractal_known: true }],
  );
  const summary = await adopt(set.services, { kind: 'adopt', plan: plan }, jobContext());
  const [record] = await set.catalog.archives();
  assert.deepEqual(
    [record?.size_bytes, record?.checksum],
    [bytes.length, createHash('sha256').update(bytes).digest('hex')],
  );
  assert.deepEqual(
    [record?.status, record?.log_count, record?.filename, record?.storage_path, record?.fractal_id],
    ['completed', 20, FILE_NAME, FILE_PATH, FRACTAL_ID],
  );
  assert.deepEqual(
    [record?.time_range_start, record?.time_range_end, record?.archive_end_ts],
    ['2026-03-01T00:00:00.000Z', '2026-03-01T00:00:00.019Z', '2026-03-01T00:00:00.019Z'],
  );
  assert.equal(record?.checksum, summary.adopted[0]?.checksum);
  assert.deepEqual((await planAdopt(set.services)).items, []);
});

test('a damaged file gets no record, the others do', async () => {
  const set = setUp();
  const bytes = await sealedArchive(numberedLines(20));
  const broken = Buffer.from(bytes);
  broken[200] = (broken[200] as number) ^ 1;
  await put(set.storage, broken);
  await put(set.storage, bytes, archivePath(FRACTAL_ID, FILE_NAME.replace('123456', '123457')));
  const plan = await planAdopt(set.services);
  assert.deepEqual(
    plan.items.map(({ action }) => action),
    ['adopt', 'adopt'],
  );
  await assert.rejects(adopt(set.services, { kind: 'adopt', plan: plan }, jobContext()), {
    code: 'PARTLY_DONE',
  });
  assert.equal(set.catalog.records.size, 1);
});

test('files that cannot be adopted are skipped with a reason', async () => {
  const set = setUp();
  const other = archivePath(FRACTAL_ID, FILE_NAME.replace('123456', '123457'));
  const cut = archivePath(FRACTAL_ID, FILE_NAME.replace('123456', '123458'));
  const empty = archivePath(FRACTAL_ID, FILE_NAME.replace('123456', '123459'));
  await put(set.storage, await sealedArchive(numberedLines(3), OTHER_KEY), other);
  await put(set.storage, (await sealedArchive(numberedLines(3))).subarray(0, -9), cut);
  await put(set.storage, await sealedArchive([]), empty);
  await put(set.storage, Buffer.from('x'), `archives/${FRACTAL_ID}/notes.txt`);
  const { items } = await planAdopt(set.services);
  assert.deepEqual(
    items.map(({ path, action, rows }) => [path, action, rows]),
    [
      [other, 'skip', null],
      [cut, 'skip', null],
      [empty, 'skip', 0],
    ],
  );
  assert.equal(new Set(items.map(({ reason }) => reason)).size, 3, 'each has its own reason');
  assert.match(items[0]?.reason ?? '', /BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS/);
  const [missing] = (await planAdopt(set.services, ['archives/none'])).items;
  assert.deepEqual([missing?.path, missing?.action], ['archives/none', 'skip']);
  assert.ok(missing?.reason.includes(set.storage.location));
});

test('a file with a completed record is skipped, a failed record is corrected', async () => {
  const set = setUp();
  await put(set.storage, await sealedArchive(numberedLines(4)));
  const record = archiveRecord();
  set.catalog.records.set(record.id, record);
  assert.deepEqual((await planAdopt(set.services)).items, []);
  const [adopted] = (await planAdopt(set.services, [FILE_PATH])).items;
  assert.equal(adopted?.action, 'skip');
  assert.ok(adopted.reason.includes(record.id));
  set.catalog.records.set(record.id, { ...record, status: 'failed', error_message: 'server restarted' });
  const plan = await planAdopt(set.services);
  assert.equal(plan.items[0]?.archive_id, record.id);
  await adopt(set.services, { kind: 'adopt', plan: plan }, jobContext());
  const [corrected] = await set.catalog.archives();
  assert.deepEqual([corrected?.id, corrected?.status, corrected?.log_count], [record.id, 'completed', 4]);
});

test('a missing fractal is recreated only with consent, and never with a name in use', async () => {
  const set = setUp();
  await put(set.storage, await sealedArchive(numberedLines(2)));
  set.catalog.all.length = 0;
  const [asked] = (await planAdopt(set.services)).items;
  assert.deepEqual([asked?.action, asked?.create_fractal], ['skip', false]);
  assert.match(asked?.reason ?? '', /--create-fractals/);
  const plan = await planAdopt(set.services, undefined, { create_fractals: true });
  const summary = await adopt(set.services, { kind: 'adopt', plan: plan }, jobContext());
  assert.deepEqual(summary.fractals_created, [FRACTAL_ID]);
  assert.deepEqual(
    set.catalog.all.map(({ id, name }) => [id, name]),
    [[FRACTAL_ID, 'web-prod']],
  );
  assert.equal(set.catalog.records.size, 1);

  const taken = setUp();
  await put(taken.storage, await sealedArchive(numberedLines(2)));
  taken.catalog.all.splice(0, 1, fractal({ id: 'ffffffff-2222-4333-8444-555555555555' }));
  const [skipped] = (await planAdopt(taken.services, undefined, { create_fractals: true })).items;
  assert.equal(skipped?.action, 'skip');
  assert.match(skipped?.reason ?? '', /ffffffff-2222-4333-8444-555555555555/);
});

test('if the server keeps no records, a file is adopted without its fractal, which is recreated with consent', async () => {
  const set = setUp();
  set.catalog.keeper = 'console';
  await put(set.storage, await sealedArchive(numberedLines(2)));
  for (const others of [[], [fractal({ id: 'ffffffff-2222-4333-8444-555555555555' })]]) {
    set.catalog.all.splice(0, 9, ...others);
    const [item] = (await planAdopt(set.services)).items;
    assert.deepEqual([item?.action, item?.create_fractal, item?.fractal_known], ['adopt', false, false]);
    assert.ok(item?.reason.includes('web-prod'));
  }
  const plan = await planAdopt(set.services, undefined, { create_fractals: true });
  assert.deepEqual([plan.items[0]?.action, plan.items[0]?.create_fractal], ['adopt', false], 'name in use');
  await adopt(set.services, { kind: 'adopt', plan }, jobContext());
  const [record] = await set.catalog.archives();
  assert.deepEqual([record?.fractal_id, record?.fractal_name], [FRACTAL_ID, 'web-prod']);

  const again = setUp();
  again.catalog.keeper = 'console';
  again.catalog.all.length = 0;
  await put(again.storage, await sealedArchive(numberedLines(2)));
  const [created] = (await planAdopt(again.services, undefined, { create_fractals: true })).items;
  assert.equal(created?.create_fractal, true);
});

test('a file of the server is adopted by its lines and its name', async () => {
  const vector = loadVectors().find(({ file }) => file === 'c-archive/lines-5000.bifract-archive');
  assert.ok(vector);
  const set = setUp([parseKey(vector.key_hex)]);
  const name = `${FRACTAL_ID}-2026-03-01_1400-20260302-010203.bifract-archive`;
  await put(set.storage, vectorBytes(vector), archivePath(FRACTAL_ID, name));
  const [found] = (await planAdopt(set.services)).items;
  assert.ok(found);
  assert.deepEqual([found.rows, found.period, found.split], [null, '2026-03-01 14:00', 'hour']);
  const id = found.fractal?.id ?? '';
  set.catalog.all.push(fractal({ id, name: 'of the vector' }));
  await adopt(set.services, { kind: 'adopt', plan: await planAdopt(set.services) }, jobContext());
  const [record] = await set.catalog.archives();
  assert.deepEqual(
    [record?.log_count, record?.fractal_id, record?.period_label],
    [5000, id, '2026-03-01 14:00'],
  );
  assert.equal(record?.created_at, '2026-03-02T01:02:03.000Z');
});

test('a file with invalid lines is not adopted', async () => {
  const set = setUp();
  await put(set.storage, await sealedArchive([archiveLine(0), Buffer.from('oops\n')]));
  await assert.rejects(
    adopt(set.services, { kind: 'adopt', plan: await planAdopt(set.services) }, jobContext()),
    { code: 'DAMAGED' },
  );
  assert.equal(set.catalog.records.size, 0);
});

test('an adoption has a job record while it reads, and keeps a record that changed since the plan', async () => {
  const set = setUp();
  await put(set.storage, await sealedArchive(numberedLines(4)));
  const record = archiveRecord({ status: 'failed' });
  set.catalog.records.set(record.id, record);
  const plan = await planAdopt(set.services);
  assert.equal(plan.items[0]?.archive_id, record.id);
  const seen: unknown[] = [];
  const stream = set.storage.stream.bind(set.storage);
  set.storage.stream = async function* (...args) {
    seen.push(...(await set.services.state.running()).map(({ kind, object }) => [kind, object]));
    set.catalog.records.set(record.id, { ...record, status: 'completed', log_count: 99 });
    yield* stream(...args);
  };
  await assert.rejects(adopt(set.services, { kind: 'adopt', plan }, jobContext()), { code: 'BUSY' });
  assert.deepEqual(seen[0], ['adopt', FILE_PATH]);
  assert.equal(set.catalog.records.get(record.id)?.log_count, 99);
  assert.deepEqual(await set.services.state.running(), []);
});

test('a file of one fractal in the folder of another is not adopted', async () => {
  const set = setUp();
  const other = '99999999-2222-4333-8444-555555555555';
  set.catalog.all.push(fractal({ id: other, name: 'other' }));
  await put(
    set.storage,
    await sealedArchive(numberedLines(4)),
    archivePath(other, FILE_NAME.replace(FRACTAL_ID, other)),
  );
  await put(set.storage, await sealedArchive(numberedLines(4)), archivePath(other, FILE_NAME));
  const { items } = await planAdopt(set.services);
  assert.deepEqual(
    items.map(({ action }) => action),
    ['skip', 'skip'],
  );
});
