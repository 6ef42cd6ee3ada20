import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDemoSupervisor } from '../../../../bin/demo/supervisor.ts';
import { ArchiveRestoreChaos } from '../../../helpers/archive-restore-chaos.ts';

const ROUNDS = 2;

// Separate servers, so that killing them does not affect other tests.
const supervisor = await startDemoSupervisor();
const chaos = await ArchiveRestoreChaos.start(supervisor, 7, 2000);

after(async () => {
  await chaos.stop();
  await supervisor.stop();
});

test('after any process is killed during a restore, the same call restores every row exactly once', async () => {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await chaos.round());
  assert.ok(
    rounds.some(({ hit }) => hit),
    JSON.stringify(rounds),
  );
});
