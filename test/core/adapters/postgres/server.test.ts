import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { namesIn } from '../../../../src/core/adapters/postgres/properties.ts';
import { databaseServer } from '../../../../src/core/adapters/postgres/server.ts';
import { recover } from '../../../../src/core/engine/recovery.ts';
import type { RestorePlan } from '../../../../src/core/features/restore/contract.ts';
import { drill } from '../../../../src/core/features/restore/drill.ts';
import { recoverRestore } from '../../../../src/core/features/restore/recovery.ts';
import { restore } from '../../../../src/core/features/restore/restore.ts';
import type { AppContainer } from '../../../../src/core/ports/database-server.ts';
import { refuses } from '../../../contracts/storage.ts';
import { FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { testServices } from '../../../helpers/services.ts';

const { postgres, sql } = await testServices();
const { host, port, user, password, database } = postgres;
const connection = { host, port, user, password, database };
const server = databaseServer(connection);
const suffix = randomBytes(4).toString('hex');
const made: string[] = [];

after(async () => {
  for (const name of made) await server.drop(name);
});

async function create(purpose: string): Promise<string> {
  const name = `bifract_${purpose}_${suffix}_${made.length}`;
  made.push(name);
  await server.create(name, { comment: 'test' });
  return name;
}

async function exists(name: string): Promise<boolean> {
  return (await server.find(name)) !== undefined;
}

test('describes the server and finds databases', async () => {
  const about = await server.info();
  assert.match(about.version, /^\d+\.\d+$/);
  assert.ok(about.can_create && about.roles.includes(user));
  assert.ok((await server.find(database))?.size_bytes);
  assert.equal(await server.find('no such database'), undefined);
});

test('the free space of the server is known on the same machine, and unknown on another one', async () => {
  assert.ok(Number(await server.freeBytes()) > 0);
  // This address is not recognized as one of this machine.
  const elsewhere = databaseServer({ ...connection, host: '0.0.0.0' });
  assert.equal(await elsewhere.freeBytes(), null);
});

test('a swap renames both databases at once, and changes nothing if one is missing', async () => {
  const [live, fresh] = [await create('restore'), await create('restore')];
  const [first, second] = [await server.find(live), await server.find(fresh)];
  const old = `bifract_replaced_${suffix}`;
  made.push(old);
  await refuses('NOT_FOUND', server.swap({ live: 'nope', fresh, old, end_sessions: true }));
  await refuses('NOT_FOUND', server.swap({ live, fresh: 'nope', old, end_sessions: true }));
  assert.deepEqual([(await server.find(live))?.oid, await exists(old)], [first?.oid, false]);
  await server.swap({ live, fresh, old, end_sessions: true });
  assert.deepEqual(
    [(await server.find(live))?.oid, (await server.find(old))?.oid, await exists(fresh)],
    [second?.oid, first?.oid, false],
  );
});

test('only one job can lock a database, and an exclusive snapshot takes the lock', async () => {
  const lock = await server.lock(database);
  await refuses('BUSY', server.lock(database));
  await refuses('BUSY', server.open(database).snapshot({ exclusive: true }));
  await (await server.open(database).snapshot()).close();
  await lock.release();
  const snapshot = await server.open(database).snapshot({ exclusive: true });
  await refuses('BUSY', server.lock(database));
  await snapshot.close();
  await (await server.lock(database)).release();
});

test('a database cannot be renamed to an existing name', async () => {
  const name = await create('restore');
  await refuses('EXISTS', server.rename(name, database));
});

test('can_create is false without CREATEDB, and CREATEDB without superuser is enough for a swap', async () => {
  const [plain, creator] = [`plain_${suffix}`, `creator_${suffix}`];
  await sql(`CREATE ROLE ${plain} LOGIN PASSWORD 'p'; CREATE ROLE ${creator} LOGIN CREATEDB PASSWORD 'p'`);
  const as = (name: string) => databaseServer({ ...connection, user: name, password: 'p' });
  try {
    assert.equal((await as(plain).info()).can_create, false);
    const own = as(creator);
    const [live, fresh, old] = ['a', 'b', 'c'].map((name) => `bifract_restore_${suffix}_${name}`);
    made.push(live as string, fresh as string, old as string);
    await own.create(live as string, { comment: 'x' });
    const properties = await own.properties(live as string);
    assert.ok(properties?.owner === creator);
    await own.create(fresh as string, { properties, comment: 'x' });
    const how = { part: 'other', final_name: 'x' } as const;
    assert.deepEqual(await own.applyProperties(fresh as string, properties, how), []);
    await own.swap({ live: live as string, fresh: fresh as string, old: old as string, end_sessions: true });
    assert.equal(await own.drop(old as string), true);
    assert.equal(await own.drop(live as string), true);
  } finally {
    await sql(`DROP ROLE ${plain}; DROP ROLE ${creator}`);
  }
});

test('recovery drops the databases of an interrupted restore, and starts the server again', async () => {
  const [scratch, foreign] = [await create('drill'), database];
  const state = new FakeState();
  state.interruptedRecords = [
    {
      id: 'drill-1',
      kind: 'drill',
      started_at: '2026-01-01T00:00:00Z',
      databases: [scratch, foreign],
      app_stopped: true,
    },
  ];
  let running = false;
  const app: AppContainer = {
    name: 'bifract',
    running: async () => running,
    stop: async () => {},
    start: async () => {
      running = true;
    },
  };
  const [backups, archives] = [new MemoryStorage(), new MemoryStorage()];
  const storageOf = async () => undefined;
  const done = await recover(
    fakeServices({ state, backups, archives, storageOf, server, containers: [app] }),
  );
  assert.deepEqual([await exists(scratch), await exists(foreign)], [false, true]);
  assert.ok(running);
  assert.equal(done.length, 2);
  assert.deepEqual(await state.interrupted(), []);
});

test('rolling back a restore fails while the server is unreachable', async () => {
  const away = databaseServer({ ...connection, port: 1 });
  const record = { id: 'd', kind: 'drill' as const, started_at: '', databases: ['bifract_drill_x'] };
  await refuses(
    'POSTGRES_UNREACHABLE',
    recoverRestore({ server: async () => away, containers: async () => [] }, record, {}),
  );
});

test('while the server is unreachable the container is started all the same', async () => {
  let started = false;
  const app: AppContainer = {
    name: 'bifract',
    running: async () => started,
    stop: async () => {},
    start: async () => {
      started = true;
    },
  };
  const away = databaseServer({ ...connection, port: 1 });
  const record = {
    id: 'd',
    kind: 'restore',
    started_at: '',
    databases: ['bifract_restore_x'],
    app_stopped: true,
  };
  const services = { server: async () => away, containers: async () => [app] };
  await refuses('POSTGRES_UNREACHABLE', recoverRestore(services, record, {}));
  assert.ok(started);
});

test('a container that Docker does not find is not forgotten', async () => {
  const record = { id: 'd', kind: 'restore', started_at: '', app_stopped: true };
  const services = { server: async () => server, containers: async () => [] };
  await refuses('SERVER_UNREACHABLE', recoverRestore(services, record, {}));
});

test('a plan with an obstacle that consent cannot remove is refused before anything is created', async () => {
  const obstacles = [{ code: 'STORAGE_FULL' as const, message: 'no room', consent: null }];
  const plan = { obstacles } as unknown as RestorePlan;
  const nothing = fakeServices({});
  const consent = { safety_backup: true, end_sessions: true, stop_app: true };
  await refuses('STORAGE_FULL', restore(nothing, { kind: 'restore', plan, consent }, jobContext()));
  await refuses('STORAGE_FULL', drill(nothing, { kind: 'drill', plan }, jobContext()));
});

test('parses lists of names as stored by PostgreSQL', () => {
  assert.deepEqual(namesIn('"$user", public, "a, ""b"""'), ['$user', 'public', 'a, "b"']);
  assert.deepEqual(namesIn(''), []);
});
