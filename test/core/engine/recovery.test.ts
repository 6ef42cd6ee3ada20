import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../src/core/contract/errors.ts';
import { JOBS, resumeHint } from '../../../src/core/engine/jobs.ts';
import { recover } from '../../../src/core/engine/recovery.ts';
import type { JobRecord } from '../../../src/core/ports/state.ts';
import { FakeCatalog, FakeState } from '../../helpers/fake-ports.ts';
import { fakeServices } from '../../helpers/fake-services.ts';
import { MemoryStorage } from '../../helpers/memory-storage.ts';

const STARTED = { started_at: '2026-03-01T12:00:00Z' };
const DROPPED: JobRecord = { ...STARTED, id: 'drill-1', kind: 'drill', databases: ['bifract_drill_x'] };
const DELETED: JobRecord = { ...STARTED, id: 'delete-1', kind: 'delete', deleting: [{ archive_id: 'a' }] };

function setUp(records: JobRecord[], drop: () => Promise<boolean>) {
  const state = new FakeState();
  state.interruptedRecords = records;
  const services = fakeServices({
    state,
    catalog: new FakeCatalog(),
    backups: new MemoryStorage(),
    archives: new MemoryStorage(),
    storageOf: async () => undefined,
    server: { drop } as never,
    app: undefined,
  });
  return { state, services };
}

test('a record whose recovery fails is kept and tried again, and does not stop the others', async () => {
  let reachable = false;
  const { state, services } = setUp([DROPPED, DELETED], async () => {
    if (!reachable) throw new BifractError('POSTGRES_UNREACHABLE', 'no server');
    return true;
  });
  const ids = async () => (await state.interrupted()).map(({ id }) => id);
  assert.equal((await recover(services)).length, 1);
  assert.deepEqual(await ids(), ['drill-1']);
  reachable = true;
  assert.equal((await recover(services)).length, 1);
  assert.deepEqual([await ids(), await recover(services)], [[], []]);
});

test('after an abort recovery stops with its reason, and keeps the record', async () => {
  const reason = new BifractError('CANCELLED', 'enough');
  const controller = new AbortController();
  const { state, services } = setUp([DROPPED], async () => {
    controller.abort(reason);
    throw reason;
  });
  await assert.rejects(recover(services, { signal: controller.signal }), (thrown) => thrown === reason);
  assert.equal((await state.interrupted()).length, 1);
});

test('a record of an unknown kind is removed', async () => {
  const { state, services } = setUp([{ ...STARTED, id: 'x', kind: 'toString' }], async () => true);
  assert.deepEqual([await recover(services), await state.interrupted()], [[], []]);
});

test('every kind of job that can be resumed says how', () => {
  for (const [kind, type] of Object.entries(JOBS)) if ('resumable' in type) assert.ok(resumeHint(kind), kind);
  assert.deepEqual([resumeHint('backup'), resumeHint('toString')], [undefined, undefined]);
});
