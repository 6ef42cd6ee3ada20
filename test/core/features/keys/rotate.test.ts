import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BifractError, cancelled } from '../../../../src/core/contract/errors.ts';
import { leftovers } from '../../../../src/core/engine/leftovers.ts';
import { recover } from '../../../../src/core/engine/recovery.ts';
import { sourceOf } from '../../../../src/core/features/inspect/object-source.ts';
import type { RotatePlan } from '../../../../src/core/features/keys/contract.ts';
import { planRotate } from '../../../../src/core/features/keys/plan.ts';
import { rekeyName } from '../../../../src/core/features/keys/rekey.ts';
import { rotateKey } from '../../../../src/core/features/keys/rotate.ts';
import {
  describeFile,
  generateKey,
  keyId,
  parseKey,
  readContent,
  writeArchive,
  writeBackup,
} from '../../../../src/core/format/index.ts';
import type { Key } from '../../../../src/core/ports/key.ts';
import type { Services } from '../../../../src/core/ports/services.ts';
import type { Storage } from '../../../../src/core/ports/storage.ts';
import { fakeDump } from '../../../helpers/fake-dump.ts';
import { FakeCatalog, FakeState, FRACTAL_ID, jobContext, lineOf } from '../../../helpers/fake-ports.ts';
import { type FakeParts, fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';

const BACKUP = 'bifract-backup-20260301-000000.bifract-backup';
const SERVER_BACKUP = 'bifract-backup-20260302-000000.bifract-backup';
const ARCHIVE = `archives/${FRACTAL_ID}/${FRACTAL_ID}-20260301-000000.bifract-archive`;
const VECTORS = join(import.meta.dirname, '../../../fixtures/vectors');
const MANIFEST = { version: '1', timestamp: '2026-01-01T00:00:00Z', type: 'postgres', env_vars: {} };

async function* one<T>(value: T) {
  yield value;
}

/** A backup and an archive of this program and a backup of the server, all with one key. */
async function setUp() {
  const index = JSON.parse(readFileSync(join(VECTORS, 'index.json'), 'utf8')) as { key?: string };
  const vector = JSON.parse(readFileSync(join(VECTORS, 'b-backup/big-dump.bifract-backup.json'), 'utf8')) as {
    key?: string;
    key_hex?: string;
  };
  const hex = vector.key ?? vector.key_hex ?? index.key ?? '';
  const storage = new MemoryStorage();
  const catalog = new FakeCatalog();
  const old = parseKey(hex);
  const head = { tool: 'test', uuid: '11111111-1111-4111-8111-111111111111' };
  await storage.put(
    BACKUP,
    writeBackup(
      MANIFEST,
      one(fakeDump([{ schema: 'public', name: 't', rows: 3000, text: 'x'.repeat(100) }])),
      { key: old, head },
    ).bytes,
  );
  await storage.put(SERVER_BACKUP, one(readFileSync(join(VECTORS, 'b-backup/big-dump.bifract-backup'))));
  const lines = one({ bytes: Buffer.from(`${lineOf(0)}\n${lineOf(1)}\n`), lines: 2 });
  const archive = writeArchive(lines, {
    key: old,
    head: { ...head, fractal: { id: FRACTAL_ID, name: 'web' }, period: null, split: 'none', fields: true },
  });
  await storage.put(ARCHIVE, archive.bytes);
  const { archive_id } = await catalog.openArchive({
    fractal_id: FRACTAL_ID,
    filename: ARCHIVE.split('/').at(-1) ?? '',
    storage_type: 'disk',
    storage_path: ARCHIVE,
    archive_type: 'adhoc',
  } as Parameters<FakeCatalog['openArchive']>[0]);
  const { size_bytes, checksum, rows, first, last } = archive.summary();
  await catalog.completeArchive(archive_id, {
    size_bytes,
    checksum,
    log_count: rows,
    time_range_start: first,
    time_range_end: last,
  });
  const state = new FakeState();
  const parts: Partial<FakeParts> & { keys: Key[] } = {
    backups: storage,
    archives: storage,
    storageOf: async () => undefined,
    catalog,
    state,
    key: old,
    keys: [old],
    now: new Date(),
    replaceKey: async () => {
      parts.key = parseKey(generateKey());
      parts.keys = [parts.key, ...parts.keys];
    },
  };
  return { storage, catalog, archive_id, state, parts, services: fakeServices(parts), old };
}

async function contentOf(storage: Storage, name: string, key: Key): Promise<string> {
  const content = readContent(storage.stream(name), { keys: [key] });
  const hash = createHash('sha256');
  for await (const piece of content) hash.update(piece);
  return hash.digest('hex');
}

const rotate = (services: Services, plan: RotatePlan, context = jobContext()) =>
  rotateKey(services, { kind: 'rotate-key', plan }, context);

test('every file opens only with the new key and has the same content; records are updated', async () => {
  const { storage, services, catalog, archive_id, old } = await setUp();
  const names = [BACKUP, SERVER_BACKUP, ARCHIVE];
  const before = await Promise.all(names.map((name) => contentOf(storage, name, old)));
  const plan = await planRotate(services);
  assert.deepEqual(
    plan.items.map(({ name, action, key_id }) => [name, action, key_id]),
    names.map((name) => [name, 'reencrypt', keyId(old)]),
  );
  const summary = await rotate(services, plan);
  const key = await services.key();
  assert.equal(summary.files, 3);
  assert.equal(summary.key_id, keyId(key));
  assert.deepEqual(await Promise.all(names.map((name) => contentOf(storage, name, key))), before);
  const object = await storage.stat(BACKUP);
  assert.ok(object);
  const { head, index } = await describeFile(sourceOf(storage, object), [key]);
  assert.equal(head?.uuid, '11111111-1111-4111-8111-111111111111');
  assert.ok(index && index.length > 0);
  const bytes = Buffer.concat(await Array.fromAsync(storage.stream(ARCHIVE)));
  const record = catalog.records.get(archive_id);
  assert.equal(record?.checksum, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(record?.size_bytes, bytes.length);
  assert.equal((await Array.fromAsync(storage.list(''))).length, 3);
});

test('a rotation interrupted at any put or delete is completed by running it again, and loses no file', async () => {
  for (let cut = 0; ; cut++) {
    const { storage, state, parts, services, catalog, archive_id } = await setUp();
    const plan = await planRotate(services);
    const controller = new AbortController();
    let calls = 0;
    const killed = killedAt(storage, () => calls++ === cut);
    Object.assign(parts, { backups: killed, archives: killed, state: keepingRecords(state) });
    const interrupted = await rotate(services, plan, jobContext(controller.signal)).then(
      () => false,
      () => true,
    );
    Object.assign(parts, { backups: storage, archives: storage, state });
    state.interruptedRecords = [...state.records.values()];
    state.records.clear();
    await recover(services);
    const again = await planRotate(services);
    if (again.resumes) await rotate(services, again);
    const key = await services.key();
    for (const name of [BACKUP, SERVER_BACKUP, ARCHIVE]) await contentOf(storage, name, key);
    const object = await storage.stat(ARCHIVE);
    assert.equal(catalog.records.get(archive_id)?.size_bytes, object?.size_bytes);
    const bytes = Buffer.concat(await Array.fromAsync(storage.stream(ARCHIVE)));
    assert.equal(
      catalog.records.get(archive_id)?.checksum,
      createHash('sha256').update(bytes).digest('hex'),
      `cut ${cut}`,
    );
    assert.equal((await Array.fromAsync(storage.list(''))).length, 3);
    if (!interrupted) {
      assert.ok(cut > 5, 'it was interrupted at several calls');
      break;
    }
    assert.ok(cut < 50);
  }
});

test('a key replaced by hand after a crash is noted until the old one is back', async () => {
  const { state, parts, services, old } = await setUp();
  state.interruptedRecords = [
    {
      id: 'rotate-key-1',
      kind: 'rotate-key',
      started_at: '2026-03-01T00:00:00Z',
      rekey: [{ place: 'archives', name: ARCHIVE }],
    },
  ];
  const byHand = parseKey(generateKey());
  Object.assign(parts, { key: byHand, keys: [byHand] });
  await recover(services);
  assert.deepEqual(
    (await leftovers(services)).map(({ code }) => code),
    ['WRONG_KEY'],
  );
  Object.assign(parts, { keys: [byHand, old] });
  await recover(services);
  assert.deepEqual([await leftovers(services), await state.interrupted()], [[], []]);
});

/** A storage whose process is killed at a call: that call and all later ones have no effect. */
function killedAt(storage: MemoryStorage, now: () => boolean): Storage {
  let is_dead = false;
  const checkAlive = () => {
    is_dead ||= now();
    if (is_dead) throw cancelled();
  };
  return new Proxy(storage as Storage, {
    get(target, name) {
      const value = target[name as keyof Storage];
      if (typeof value !== 'function') return value;
      const bound = (value as (...args: unknown[]) => unknown).bind(target);
      if (name !== 'put' && name !== 'delete') return bound;
      return async (...args: unknown[]) => {
        checkAlive();
        return bound(...args);
      };
    },
  });
}

function keepingRecords(state: FakeState): FakeState {
  return Object.assign(Object.create(state) as FakeState, { remove: async () => {} });
}

test('a file that no key opens is skipped and listed', async () => {
  const { storage, services } = await setUp();
  const foreign = 'bifract-backup-20260303-000000.bifract-backup';
  const other = { key: parseKey(generateKey()), head: { tool: 'test' } };
  await storage.put(foreign, writeBackup(MANIFEST, one(Buffer.from('x')), other).bytes);
  const plan = await planRotate(services);
  assert.equal(plan.items.find(({ name }) => name === foreign)?.action, 'skip');
  await rotate(services, plan);
  assert.ok(await contentOf(storage, foreign, other.key));
  assert.equal(await storage.stat(rekeyName(foreign)), undefined);
});

test('a file that its storage cannot read keeps its key and is named; the others are re-encrypted', async () => {
  const { storage, services, old } = await setUp();
  const read = storage.read.bind(storage);
  storage.read = async (name, ...rest) => {
    if (name === SERVER_BACKUP) throw new BifractError('STORAGE_DENIED', 'no', { hint: 'Thaw it.' });
    return read(name, ...rest);
  };
  const plan = await planRotate(services);
  const item = plan.items.find(({ name }) => name === SERVER_BACKUP);
  assert.deepEqual([item?.action, item?.error?.hint], ['skip', 'Thaw it.']);
  await assert.rejects(rotate(services, plan), { code: 'PARTLY_DONE' });
  storage.read = read;
  const key = await services.key();
  assert.ok(await contentOf(storage, BACKUP, key));
  assert.ok(await contentOf(storage, SERVER_BACKUP, old));
  assert.ok(
    (await services.keys()).some((one) => keyId(one) === keyId(old)),
    'the old key is kept',
  );
});

test('what changed after the plan, or is not the archive of its record, keeps its key', async () => {
  const swaps: ((set: Awaited<ReturnType<typeof setUp>>) => Promise<void> | void)[] = [
    async ({ storage }) => {
      const bytes = Buffer.concat(await Array.fromAsync(storage.stream(BACKUP)));
      await storage.delete(ARCHIVE);
      await storage.put(ARCHIVE, one(bytes));
    },
    ({ catalog, archive_id }) => {
      const record = catalog.records.get(archive_id);
      if (record) catalog.records.set(archive_id, { ...record, log_count: 3 });
    },
    ({ catalog, archive_id }) => {
      const record = catalog.records.get(archive_id);
      if (record) catalog.records.set(archive_id, { ...record, storage_path: BACKUP });
    },
  ];
  for (const swap of swaps) {
    const set = await setUp();
    const plan = await planRotate(set.services);
    await swap(set);
    const before = set.catalog.records.get(set.archive_id)?.checksum;
    await assert.rejects(rotate(set.services, plan), { code: 'PARTLY_DONE' });
    assert.ok(await contentOf(set.storage, ARCHIVE, set.old));
    assert.equal(set.catalog.records.get(set.archive_id)?.checksum, before);
  }
});
