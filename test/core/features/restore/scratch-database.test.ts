import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import {
  dropScratch,
  isScratchName,
  scratchName,
} from '../../../../src/core/features/restore/scratch-database.ts';
import type { DatabaseServer } from '../../../../src/core/ports/database-server.ts';
import { jobContext } from '../../../helpers/fake-ports.ts';

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
  assert.equal(await dropScratch(server, ['a', 'b'], context), true);
  assert.deepEqual(dropped, ['a', 'b']);
  assert.deepEqual(
    context.events.map(({ event }) => event),
    ['job:retry'],
  );
});

test('a database that cannot be dropped is a warning that names it, without a retry', async () => {
  const { server } = failing(new BifractError('QUERY_FAILED', 'no'));
  const context = jobContext();
  assert.equal(await dropScratch(server, ['bifract_drill_7'], context), false);
  const [warning, ...others] = context.events;
  assert.ok(warning?.event === 'job:warning' && warning.message.includes('bifract_drill_7'));
  assert.deepEqual(others, []);
});
