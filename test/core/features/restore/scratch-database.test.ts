import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import {
  dropScratch,
  endRecord,
  isScratchName,
  scratchName,
} from '../../../../src/core/features/restore/scratch-database.ts';
import type { DatabaseServer } from '../../../../src/core/ports/database-server.ts';
import { FakeState, jobContext } from '../../../helpers/fake-ports.ts';

/** A server whose `drop` fails with these errors before it works. */
function failing(...errors: BifractError[]) {
  const dropped: string[] = [];
  const drop = async (name: string) => {
    const error = errors.shift();
    if (error) throw error;
    dropped.push(name);
    return true;
  };
  return { server: { drop } as unknown as DatabaseServer, dropped };
}

test('only databases that a job created for itself have a scratch name', () => {
  for (const purpose of ['restore', 'drill', 'replaced'] as const)
    assert.ok(isScratchName(scratchName(purpose, 'restore-20260301-123456-ab12')));
  for (const name of [
    'bifract',
    'bifract_restore',
    'bifract_restore_',
    'xbifract_drill_1',
    'bifract_drill_1"',
  ])
    assert.ok(!isScratchName(name), name);
});

test('dropping waits for a server that restarts, also after a cancellation', async () => {
  const { server, dropped } = failing(new BifractError('POSTGRES_UNREACHABLE', 'starting up'));
  const context = jobContext(AbortSignal.abort());
  assert.equal(await dropScratch(server, ['a', 'b'], context), undefined);
  assert.deepEqual(dropped, ['a', 'b']);
  assert.deepEqual(
    context.events.map(({ event }) => event),
    ['job:retry'],
  );
});

test('a database that cannot be dropped is a warning that names it, without a retry', async () => {
  const { server } = failing(new BifractError('QUERY_FAILED', 'no'));
  const context = jobContext();
  assert.equal((await dropScratch(server, ['bifract_drill_7'], context))?.code, 'QUERY_FAILED');
  const [warning, ...others] = context.events;
  assert.ok(warning?.event === 'job:warning' && warning.message.includes('bifract_drill_7'));
  assert.deepEqual(others, []);
});

const RECORD = { id: 'drill-1', kind: 'drill', started_at: '2026-03-01T12:00:00Z' };

test('the record of a job is removed at its end, unless it left something: then that is noted', async () => {
  const state = new FakeState();
  await state.save(RECORD);
  await endRecord(state, RECORD, undefined);
  assert.deepEqual([await state.running(), await state.leftovers()], [[], []]);
  await state.save(RECORD);
  for (const hint of ['a', 'b'])
    await endRecord(state, RECORD, new BifractError('QUERY_FAILED', 'no', { hint }));
  assert.deepEqual(await state.running(), [RECORD]);
  assert.deepEqual(
    (await state.leftovers()).map(({ job, code, hint, warned_at }) => [job, code, hint, warned_at]),
    [['drill-1', 'QUERY_FAILED', 'b', null]],
  );
});

test('a record that cannot be removed or noted does not change the result of the job', async () => {
  const state = new FakeState();
  const denied = async () => {
    throw new BifractError('STORAGE_DENIED', 'read-only');
  };
  state.remove = denied;
  await endRecord(state, RECORD, undefined);
  assert.equal((await state.leftovers())[0]?.code, 'STORAGE_DENIED');
  state.saveLeftovers = denied;
  await endRecord(state, RECORD, undefined);
});
