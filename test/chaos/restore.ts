// Breaks restores at seeded random points: node --import tsx test/chaos/restore.ts [rounds] [seed]
import { startKeeper } from '../../bin/demo/keeper.ts';
import { RestoreChaos } from '../helpers/restore-chaos.ts';

const rounds = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds, seed ${seed}`);
const keeper = await startKeeper();
const chaos = await RestoreChaos.start(keeper, seed, { disk: process.getuid?.() === 0 });
try {
  for (let round = 1; round <= rounds; round++) {
    const { victim, after_ms, broken, replaced, code } = await chaos.round();
    const fate = broken ? 'broken' : 'not there';
    console.log(
      `${round}: ${victim} ${fate} at ${after_ms} ms, exit ${code}, ${replaced ? 'replaced' : 'as before'}`,
    );
  }
  await chaos.finish();
  console.log('The live database was always the one or the other; nothing was left behind.');
} finally {
  await keeper.stop();
  await chaos.stop();
}
