import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { show } from '../../../../src/core/features/inspect/show.ts';
import { verify } from '../../../../src/core/features/inspect/verify.ts';
import { planAdopt } from '../../../../src/core/features/orphans/plan-adopt.ts';
import type { ArchiveGroup } from '../../../../src/core/ports/catalog.ts';
import type { Services } from '../../../../src/core/ports/services.ts';
import { FakeCatalog, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { KEY } from '../../../helpers/sealed.ts';
import { inPieces } from '../../../helpers/streams.ts';
import {
  archiveRecord,
  FILE_NAME,
  FILE_PATH,
  numberedLines,
  sealedArchive,
} from '../../../helpers/targets.ts';

function setUp() {
  const catalog = new FakeCatalog();
  const [backups, archives, local] = [new MemoryStorage(), new MemoryStorage(), new MemoryStorage()];
  const parts = {
    state: new FakeState(),
    now: new Date(),
    key: KEY,
    keys: [KEY],
    catalog,
    backups,
    archives,
    storageOf: async () => undefined,
    localFile: async (path: string) => ({ storage: local, name: path.split('/').at(-1) ?? '' }),
  };
  return { services: fakeServices(parts), parts, catalog, archives, local };
}

async function addArchive({ catalog, archives }: ReturnType<typeof setUp>) {
  const bytes = await sealedArchive(numberedLines(5));
  await archives.put(FILE_PATH, inPieces(bytes, 65_536));
  const record = archiveRecord({ size_bytes: bytes.length, log_count: 5 });
  catalog.records.set(record.id, record);
  return { bytes, record };
}

async function verified(services: Services, targets: string[] | 'all') {
  const context = jobContext();
  const result = await verify(services, { kind: 'verify', targets }, context);
  return { items: result.items, events: context.events };
}

test('an archive is found by record id, storage name and path, always with its record', async () => {
  const set = setUp();
  const { bytes, record } = await addArchive(set);
  await set.local.put(FILE_NAME, inPieces(bytes, 65_536));
  for (const target of [record.id, FILE_PATH, `/mnt/copy/${FILE_NAME}`]) {
    const report = await show(set.services, target);
    assert.deepEqual([report.rows, report.record?.id, report.notes], [5, record.id, []], target);
  }
});

test('an archive is found by its bare name', async () => {
  const set = setUp();
  await addArchive(set);
  assert.equal((await show(set.services, FILE_NAME)).rows, 5);
});

test('verifying a group verifies its existing archives', async () => {
  const set = setUp();
  const { record } = await addArchive(set);
  const group_id = 'bbbbbbbb-0000-4000-8000-000000000001';
  set.catalog.allGroups.push({ id: group_id, fractal_id: record.fractal_id } as ArchiveGroup);
  set.catalog.records.set(record.id, { ...record, group_id });
  set.catalog.records.set('failed', { ...record, id: 'failed', group_id, status: 'failed' });
  set.catalog.records.set('other', { ...record, id: 'other', group_id: null });
  const { items } = await verified(set.services, [group_id]);
  assert.deepEqual(
    items.map(({ ok, rows }) => [ok, rows]),
    [[true, 5]],
  );
  await assert.rejects(verified(set.services, ['cccccccc-0000-4000-8000-000000000001']), {
    code: 'NOT_FOUND',
  });
});

test('a record with a path from another root is found below the archive root', async () => {
  const set = setUp();
  const { record } = await addArchive(set);
  set.catalog.records.set(record.id, { ...record, storage_path: `/archives/${FILE_PATH}` });
  assert.equal((await show(set.services, record.id)).rows, 5);
});

test('`all` verifies every backup and every completed archive, compared with its record', async () => {
  const set = setUp();
  const { record } = await addArchive(set);
  set.catalog.records.set('failed', { ...record, id: 'failed', status: 'failed' });
  assert.deepEqual(
    (await verified(set.services, 'all')).items.map(({ ok, rows }) => [ok, rows]),
    [[true, 5]],
  );
  set.catalog.records.set(record.id, { ...record, log_count: 6 });
  await assert.rejects(verified(set.services, 'all'), { code: 'COUNT_DIFFERS' });
});

test('without the database, files are verified on their own, with a warning', async () => {
  const set = setUp();
  await addArchive(set);
  const down = new BifractError('POSTGRES_UNREACHABLE', 'PostgreSQL is down');
  const services = fakeServices({
    ...set.parts,
    get catalog(): FakeCatalog {
      throw down;
    },
  });
  const { items, events } = await verified(services, 'all');
  assert.deepEqual(
    items.map(({ ok, proven }) => [ok, proven]),
    [[true, true]],
  );
  assert.match(items[0]?.notes.join() ?? '', /PostgreSQL is down/);
  assert.ok(events.some((event) => event.event === 'job:warning'));
  const named = await verified(services, [FILE_PATH]);
  assert.match(named.items[0]?.notes.join() ?? '', /PostgreSQL is down/);
});

test('a file to adopt can be given as a path that ends in its name', async () => {
  const set = setUp();
  await set.archives.put(FILE_PATH, inPieces(await sealedArchive(numberedLines(3)), 65_536));
  for (const name of [FILE_PATH, `/var/lib/archives/${FILE_NAME}`]) {
    const [item] = (await planAdopt(set.services, [name])).items;
    assert.deepEqual([item?.path, item?.action], [FILE_PATH, 'adopt'], name);
  }
});
