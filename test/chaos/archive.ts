// Disrupts archiving at seeded points: node --import tsx test/chaos/archive.ts [rounds] [seed]. Build first.

import { LOGS_DATABASE, startServices } from '../../bin/demo/services.ts';
import { startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import { ArchiveChaos } from '../helpers/archive-chaos.ts';

const rounds = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds, seed ${seed}`);
const supervisor = await startDemoSupervisor();
const chaos = await ArchiveChaos.start(await startServices(supervisor, 'A'), LOGS_DATABASE, seed);
let [calls, faults, resumed] = [0, 0, 0];
try {
  for (let round = 1; round <= rounds; round++) {
    const done = await chaos.round();
    calls += done.calls.length;
    faults += done.faults;
    if (done.resumed) resumed++;
    console.log(
      `${round}: split ${done.split}, ${done.faults} faults, ${done.calls.join(', ')}${done.resumed ? ', resumed' : ''}`,
    );
  }
  console.log(
    `${calls} disrupted calls, ${faults} response faults, ${resumed} archives resumed: every row archived once.`,
  );
} finally {
  await chaos.stop();
  await supervisor.stop();
}
