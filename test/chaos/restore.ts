// Disrupts restores at seeded points: node --import tsx test/chaos/restore.ts [rounds] [seed]
import { startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import { RestoreChaos } from '../helpers/restore-chaos.ts';

const rounds = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds, seed ${seed}`);
const supervisor = await startDemoSupervisor();
const chaos = await RestoreChaos.start(supervisor, seed, { disk: process.getuid?.() === 0 });
try {
  for (let round = 1; round <= rounds; round++) {
    const { victim, after_ms, broken, replaced, code } = await chaos.round();
    const outcome = broken ? 'hit' : 'not running';
    console.log(
      `${round}: ${victim} ${outcome} at ${after_ms} ms, exit ${code}, ${replaced ? 'replaced' : 'unchanged'}`,
    );
  }
  await chaos.finish();
  console.log('The live database was always unchanged or fully replaced; nothing was left behind.');
} finally {
  await supervisor.stop();
  await chaos.stop();
}
