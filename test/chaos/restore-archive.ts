// Disrupts restores of archives at seeded points: node --import tsx test/chaos/restore-archive.ts [rounds] [seed]
// Build first.
import { startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import { ArchiveRestoreChaos } from '../helpers/archive-restore-chaos.ts';

const rounds = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds, seed ${seed}`);
const supervisor = await startDemoSupervisor();
const chaos = await ArchiveRestoreChaos.start(supervisor, seed);
try {
  for (let round = 1; round <= rounds; round++) {
    const { scene, victim, after_ms, hit, codes } = await chaos.round();
    const outcome = hit ? 'hit' : 'finished before';
    console.log(`${round}: ${scene}, ${victim} ${outcome} at ${after_ms} ms, exits ${codes.join(', ')}`);
  }
  console.log('Every restore was complete, without duplicates or leftovers.');
} finally {
  await chaos.stop();
  await supervisor.stop();
}
