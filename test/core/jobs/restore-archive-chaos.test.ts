import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startKeeper } from '../../../bin/demo/keeper.ts';
import { ArchiveRestoreChaos } from '../../helpers/archive-restore-chaos.ts';

const ROUNDS = 2;

// Servers of its own: what is killed takes nobody else's data away.
const keeper = await startKeeper();
const chaos = await ArchiveRestoreChaos.start(keeper, 7, 2000);

after(async () => {
  await chaos.stop();
  await keeper.stop();
});

test('whatever is killed during a restore of archives, the same call brings back every row, once', async () => {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await chaos.round());
  assert.ok(
    rounds.some(({ hit }) => hit),
    JSON.stringify(rounds),
  );
});
