// Breaks restores of archives at seeded random points: node --import tsx test/chaos/restore-archive.ts [rounds] [seed]
// The program must have been built.
import { startKeeper } from '../../bin/demo/keeper.ts';
import { ArchiveRestoreChaos } from '../helpers/archive-restore-chaos.ts';

const rounds = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds, seed ${seed}`);
const keeper = await startKeeper();
const chaos = await ArchiveRestoreChaos.start(keeper, seed);
try {
  for (let round = 1; round <= rounds; round++) {
    const { scene, victim, after_ms, hit, codes } = await chaos.round();
    const fate = hit ? 'hit' : 'over';
    console.log(`${round}: ${scene}, ${victim} ${fate} at ${after_ms} ms, exits ${codes.join(', ')}`);
  }
  console.log('The fractal always held what it was to hold, once each; nothing was left behind.');
} finally {
  await chaos.stop();
  await keeper.stop();
}
