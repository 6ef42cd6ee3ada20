import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDemoSupervisor } from '../../../../bin/demo/supervisor.ts';
import { RestoreChaos } from '../../../helpers/restore-chaos.ts';

const ROUNDS = 5;

// Needs its own server: killing its backends restarts it.
const supervisor = await startDemoSupervisor();
const chaos = await RestoreChaos.start(supervisor, 7);

after(async () => {
  await supervisor.stop();
  await chaos.stop();
});

test('after any failure during a restore the live database equals the old state or the backup', async () => {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await chaos.round());
  assert.ok(rounds.filter(({ broken }) => broken).length >= ROUNDS / 2, JSON.stringify(rounds));
  await chaos.finish();
});
