import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOBS } from '../../../src/core/engine/jobs.ts';

/** Jobs that change nothing that another job could delete or replace, or that have a lock of their own. */
const WITHOUT_LOCK = ['archive', 'backup', 'drill', 'restore-archive', 'run-due', 'verify'];

test('every other job works under the installation lock', () => {
  const without = Object.entries(JOBS).filter(([, { locks }]: [string, { locks?: true }]) => !locks);
  assert.deepEqual(without.map(([kind]) => kind).sort(), WITHOUT_LOCK);
});
