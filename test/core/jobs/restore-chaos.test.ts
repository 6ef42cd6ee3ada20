import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startKeeper } from '../../../bin/demo/keeper.ts';
import { RestoreChaos } from '../../helpers/restore-chaos.ts';

const ROUNDS = 5;

// A server of its own: one whose backends are killed starts again.
const keeper = await startKeeper();
const chaos = await RestoreChaos.start(keeper, 7);

after(async () => {
  await keeper.stop();
  await chaos.stop();
});

test('whatever breaks during a restore, the live database is as before or as the backup', async () => {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await chaos.round());
  assert.ok(rounds.filter(({ broken }) => broken).length >= ROUNDS / 2, JSON.stringify(rounds));
  await chaos.finish();
});
