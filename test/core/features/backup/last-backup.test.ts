import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { knownBackups } from '../../../../src/core/features/backup/known-backups.ts';
import { planPrune } from '../../../../src/core/features/backup/plan-prune.ts';
import { prune } from '../../../../src/core/features/backup/prune.ts';
import { copy } from '../../../../src/core/features/copy/copy.ts';
import { planCopy } from '../../../../src/core/features/copy/plan.ts';
import { deletePlanned } from '../../../../src/core/features/delete/delete.ts';
import { planDelete } from '../../../../src/core/features/delete/plan.ts';
import { writeBackup } from '../../../../src/core/format/index.ts';
import { backupName } from '../../../../src/core/policy/names.ts';
import { fakeDump } from '../../../helpers/fake-dump.ts';
import { FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { KEY, OTHER_KEY } from '../../../helpers/sealed.ts';
import { collect, inPieces } from '../../../helpers/streams.ts';
import { numberedLines, sealedArchive } from '../../../helpers/targets.ts';

const NOW = new Date('2026-03-20T12:00:00Z');
const MANIFEST = { version: '1', timestamp: '2026-03-01T00:00:00Z', type: 'postgres', env_vars: {} };

const at = (day: number) => new Date(Date.UTC(2026, 2, day));
const nameOf = (day: number) => backupName(at(day));

function setUp() {
  const disk = new MemoryStorage();
  const s3 = new MemoryStorage('s3');
  const services = fakeServices({
    backups: disk,
    archives: disk,
    storageOf: async (_, type) => (type === 's3' ? s3 : disk),
    state: new FakeState(),
    keys: [KEY],
    now: NOW,
  });
  return { disk, s3, services };
}

async function bytesOf(day: number, { key = KEY, damaged = false } = {}): Promise<Buffer> {
  const head = { tool: 'test', created: at(day).toISOString() };
  const bytes = await collect(writeBackup(MANIFEST, inPieces(fakeDump(), 5), { key, head }).bytes);
  if (damaged) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  return bytes;
}

async function add(storage: MemoryStorage, day: number, given: { key?: typeof KEY; damaged?: boolean } = {}) {
  await storage.put(nameOf(day), inPieces(await bytesOf(day, given), 1000));
}

async function namesIn(storage: MemoryStorage): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ name }) => name);
}

const planned = (services: ReturnType<typeof setUp>['services'], day: number, options = {}) =>
  planDelete(services, [{ kind: 'backup', id: nameOf(day) }], options);

test('of two plans that each rely on the backup of the other, one is refused', async () => {
  const { disk, services } = setUp();
  await add(disk, 1);
  await add(disk, 2);
  const [one, two] = [await planned(services, 1), await planned(services, 2)];
  await deletePlanned(services, { kind: 'delete', plan: one }, jobContext());
  await assert.rejects(deletePlanned(services, { kind: 'delete', plan: two }, jobContext()), {
    code: 'LAST_BACKUP',
  });
  assert.deepEqual(await namesIn(disk), [nameOf(2)]);
  const agreed = await planned(services, 2, { last_backup: true });
  await deletePlanned(services, { kind: 'delete', plan: agreed }, jobContext());
  assert.deepEqual(await namesIn(disk), []);
});

test('a backup that was damaged after the plan does not count as the one that stays', async () => {
  const { disk, services } = setUp();
  await add(disk, 1);
  await add(disk, 2);
  const plan = await planned(services, 1);
  await disk.delete(nameOf(2));
  await add(disk, 2, { damaged: true });
  await assert.rejects(deletePlanned(services, { kind: 'delete', plan }, jobContext()), {
    code: 'LAST_BACKUP',
  });
  assert.deepEqual(await namesIn(disk), [nameOf(1), nameOf(2)]);
});

test('a delete between plan and prune leaves what the rule relied on', async () => {
  const { disk, services } = setUp();
  for (const day of [1, 2, 3]) await add(disk, day);
  const plan = await planPrune(services, { last: 1 });
  const newest = await planned(services, 3);
  await deletePlanned(services, { kind: 'delete', plan: newest }, jobContext());
  await assert.rejects(prune(services, { kind: 'prune', plan }, jobContext()), { code: 'BUSY' });
  assert.deepEqual(await namesIn(disk), [nameOf(1), nameOf(2)]);
});

test('a prune between plan and delete keeps the last one', async () => {
  const { disk, services } = setUp();
  await add(disk, 1);
  await add(disk, 2);
  const plan = await planned(services, 2);
  const rule = await planPrune(services, { last: 1 });
  await prune(services, { kind: 'prune', plan: rule }, jobContext());
  await assert.rejects(deletePlanned(services, { kind: 'delete', plan }, jobContext()), {
    code: 'LAST_BACKUP',
  });
  assert.deepEqual(await namesIn(disk), [nameOf(2)]);
});

test('the last good backup can be moved: its verified copy stays', async () => {
  const { disk, s3, services } = setUp();
  await add(disk, 1);
  const plan = await planCopy(services, [nameOf(1)], { to: 's3', move: true });
  await copy(services, { kind: 'copy', plan }, jobContext());
  assert.deepEqual([await namesIn(disk), await namesIn(s3)], [[], [nameOf(1)]]);
  const last = await planned(services, 1);
  assert.equal(last.items[0]?.refusal?.code, 'LAST_BACKUP');
});

test('unreadable backups may be deleted as long as any file is left, but never count', async () => {
  const { disk, services } = setUp();
  await add(disk, 1, { key: OTHER_KEY });
  await add(disk, 2, { damaged: true });
  const plan = await planned(services, 1);
  await deletePlanned(services, { kind: 'delete', plan }, jobContext());
  assert.deepEqual(await namesIn(disk), [nameOf(2)]);
  assert.equal((await planned(services, 2)).items[0]?.refusal?.code, 'LAST_BACKUP');
});

test('an old backup that is renamed to a later time is not the newest, and is reported', async () => {
  const { disk, services } = setUp();
  for (const day of [5, 6, 7]) await add(disk, day);
  await disk.put(nameOf(19), inPieces(await bytesOf(2), 1000));
  const known = await knownBackups(disk, { keys: [KEY], now: NOW }, {});
  assert.deepEqual(
    known.map(({ object, notes }) => [object.name, notes.length]),
    [
      [nameOf(7), 0],
      [nameOf(6), 0],
      [nameOf(5), 0],
      [nameOf(19), 1],
    ],
  );
  const plan = await planPrune(services, { last: 1 });
  assert.deepEqual(
    plan.items.map(({ name, action, created_at }) => [name, action, created_at]),
    [
      [nameOf(7), 'keep', at(7).toISOString()],
      [nameOf(6), 'delete', at(6).toISOString()],
      [nameOf(5), 'delete', at(5).toISOString()],
      [nameOf(19), 'delete', at(2).toISOString()],
    ],
  );
  await prune(services, { kind: 'prune', plan }, jobContext());
  assert.deepEqual(await namesIn(disk), [nameOf(7)]);
});

test('one backup that its storage cannot read is kept with the reason; the rest is pruned', async () => {
  const { disk, services } = setUp();
  for (const day of [1, 2, 3, 4]) await add(disk, day);
  const read = disk.read.bind(disk);
  disk.read = async (name, ...rest) => {
    if (name === nameOf(2)) throw new BifractError('STORAGE_FAILED', 'archived', { hint: 'Thaw it.' });
    return read(name, ...rest);
  };
  const plan = await planPrune(services, { last: 1 });
  const frozen = plan.items.find(({ name }) => name === nameOf(2));
  assert.deepEqual([frozen?.reasons, frozen?.error?.hint], [['unreadable'], 'Thaw it.']);
  await prune(services, { kind: 'prune', plan }, jobContext());
  assert.deepEqual(await namesIn(disk), [nameOf(2), nameOf(4)]);
  const one = await planned(services, 2);
  assert.equal(one.items[0]?.refusal?.code, 'STORAGE_FAILED');
  disk.read = async () => {
    throw new BifractError('STORAGE_UNREACHABLE', 'down');
  };
  await assert.rejects(planPrune(services, { last: 1 }), { code: 'STORAGE_UNREACHABLE' });
});

test('an archive with the name of a backup is not pruned or deleted', async () => {
  const { disk, services } = setUp();
  await add(disk, 8);
  await disk.put(nameOf(1), inPieces(await sealedArchive(numberedLines(3)), 1000));
  const plan = await planPrune(services, { last: 1 });
  assert.equal(plan.items.find(({ name }) => name === nameOf(1))?.action, 'keep');
  assert.equal((await planned(services, 1)).items[0]?.refusal?.code, 'RECORD_DIFFERS');
});
