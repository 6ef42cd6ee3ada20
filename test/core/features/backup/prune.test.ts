import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { planPrune } from '../../../../src/core/features/backup/plan-prune.ts';
import { prune } from '../../../../src/core/features/backup/prune.ts';
import { generateKey, parseKey, writeBackup } from '../../../../src/core/format/index.ts';
import { backupName } from '../../../../src/core/policy/names.ts';
import { refuses } from '../../../contracts/storage.ts';
import { fakeDump } from '../../../helpers/fake-dump.ts';
import { FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';

const NOW = new Date('2026-03-31T12:00:00Z');
const key = parseKey(generateKey());
const MANIFEST = { version: '1', timestamp: '2026-01-01T00:00:00Z', type: 'postgres', env_vars: {} };

async function setUp(
  files: { day: number; reason?: string; key?: typeof key; damaged?: boolean | 'middle' }[],
) {
  const storage = new MemoryStorage();
  for (const { day, reason, key: other = key, damaged } of files) {
    const dump = (async function* () {
      yield fakeDump();
    })();
    const written = await Array.fromAsync(
      writeBackup(MANIFEST, dump, {
        key: other,
        head: { tool: 'test', reason, created: timeOf(day).toISOString() },
      }).bytes,
    );
    const bytes = Buffer.concat(written);
    if (damaged === 'middle') bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    else if (damaged) bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
    await storage.put(nameOf(day), source(bytes));
  }
  const state = new FakeState();
  const parts = { backups: storage, storageOf: async () => undefined, keys: [key], now: NOW, state };
  return { storage, state, parts, services: fakeServices(parts) };
}

async function* source(bytes: Buffer) {
  yield bytes;
}

function nameOf(day: number): string {
  return backupName(timeOf(day));
}

function timeOf(day: number): Date {
  return new Date(Date.UTC(2026, 2, day));
}

test('a rule deletes what it does not keep, except safety backups and unreadable files', async () => {
  const { services, storage, state } = await setUp([
    { day: 1 },
    { day: 2, reason: 'before restore of x' },
    { day: 3, key: parseKey(generateKey()) },
    { day: 4 },
    { day: 5 },
    { day: 6, damaged: true },
  ]);
  const plan = await planPrune(services, { last: 1 });
  assert.ok(Object.isFrozen(plan) && Object.isFrozen(plan.items[0]));
  assert.deepEqual(
    plan.items.map(({ name, action, reasons }) => [name, action, reasons.join()]),
    [
      [nameOf(6), 'keep', 'unreadable'],
      [nameOf(5), 'keep', 'last,newest'],
      [nameOf(4), 'delete', ''],
      [nameOf(3), 'keep', 'unreadable'],
      [nameOf(2), 'keep', 'safety'],
      [nameOf(1), 'delete', ''],
    ],
  );
  const context = jobContext();
  const summary = await prune(services, { kind: 'prune', plan }, context);
  assert.deepEqual(summary, { deleted: 2, kept: 4, freed_bytes: plan.freed_bytes });
  assert.deepEqual(
    context.events.flatMap((event) => (event.event === 'job:item' ? [[event.item, event.ok]] : [])),
    [
      [nameOf(1), true],
      [nameOf(4), true],
    ],
  );
  assert.equal((await Array.fromAsync(storage.list(''))).length, 4);
  assert.deepEqual(await state.running(), []);
});

test('a backup dated in the future is kept, but is not the newest, unless all are', async () => {
  const { services, parts } = await setUp([{ day: 1 }, { day: 2 }, { day: 3 }]);
  parts.now = new Date('2026-03-02T12:00:00Z');
  const reasonsOf = async () =>
    (await planPrune(services, { daily: 1 })).items.map(({ name, reasons }) => [name, reasons.join()]);
  assert.deepEqual(await reasonsOf(), [
    [nameOf(2), 'daily,newest'],
    [nameOf(1), ''],
    [nameOf(3), 'future'],
  ]);
  parts.now = new Date('2026-02-01T12:00:00Z');
  assert.deepEqual((await reasonsOf())[0], [nameOf(3), 'future,newest']);
});

test('a rule that keeps nothing is rejected', async () => {
  await refuses('USAGE', planPrune((await setUp([{ day: 1 }])).services, { last: 0 }));
});

test('a failed deletion is named, the rest is deleted: PARTLY_DONE', async () => {
  const { services, storage } = await setUp([{ day: 1 }, { day: 2 }, { day: 3 }]);
  const plan = await planPrune(services, { last: 1 });
  const remove = storage.delete.bind(storage);
  storage.delete = async (name, options) => {
    if (name === nameOf(1)) throw new BifractError('STORAGE_DENIED', 'no');
    return remove(name, options);
  };
  await assert.rejects(prune(services, { kind: 'prune', plan }, jobContext()), {
    code: 'PARTLY_DONE',
    message: new RegExp(`1 of 2 .*${nameOf(1)}`),
  });
  assert.equal(await storage.stat(nameOf(2)), undefined);
});

test('a file changed after the plan is kept', async () => {
  const { services, storage } = await setUp([{ day: 1 }, { day: 2 }]);
  const plan = await planPrune(services, { last: 1 });
  await storage.delete(nameOf(1));
  await storage.put(nameOf(1), source(Buffer.from('another')));
  await refuses('BUSY', prune(services, { kind: 'prune', plan }, jobContext()));
  assert.ok(await storage.stat(nameOf(1)));
});

test('a newer backup with intact header and trailer but damaged content does not count', async () => {
  const { services } = await setUp([
    { day: 1 },
    { day: 2 },
    { day: 3, damaged: 'middle' },
    { day: 4, damaged: 'middle' },
  ]);
  const plan = await planPrune(services, { last: 1 });
  assert.deepEqual(
    plan.items.map(({ name, action, reasons }) => [name, action, reasons.join()]),
    [
      [nameOf(4), 'keep', 'unreadable'],
      [nameOf(3), 'keep', 'unreadable'],
      [nameOf(2), 'keep', 'last,newest'],
      [nameOf(1), 'delete', ''],
    ],
  );
});

test('a backup that is listed with a wrong size is not taken for unreadable', async () => {
  const { services, storage } = await setUp([{ day: 1 }, { day: 2 }, { day: 3 }]);
  const list = storage.list.bind(storage);
  storage.list = async function* (...args) {
    for await (const object of list(...args)) yield { ...object, size_bytes: object.size_bytes >> 1 };
  };
  const { items } = await planPrune(services, { last: 2 });
  assert.deepEqual(
    items.map(({ name, action }) => [name, action]),
    [
      [nameOf(3), 'keep'],
      [nameOf(2), 'keep'],
      [nameOf(1), 'delete'],
    ],
  );
});
