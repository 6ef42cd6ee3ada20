// Disturbs archives at seeded random points: node --import tsx test/chaos/archive.ts [rounds] [seed]; build before.
import { startKeeper } from '../../bin/demo/keeper.ts';
import { LOGS_DATABASE, startServices } from '../../bin/demo/services.ts';
import { ArchiveChaos } from '../helpers/archive-chaos.ts';

const rounds = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds, seed ${seed}`);
const keeper = await startKeeper();
const chaos = await ArchiveChaos.start(await startServices(keeper), LOGS_DATABASE, seed);
let [calls, faults, continued] = [0, 0, 0];
try {
  for (let round = 1; round <= rounds; round++) {
    const done = await chaos.round();
    calls += done.calls.length;
    faults += done.faults;
    if (done.continued) continued++;
    console.log(
      `${round}: split ${done.split}, ${done.faults} faults, ${done.calls.join(', ')}${done.continued ? ', gone on' : ''}`,
    );
  }
  console.log(
    `${calls} disturbed calls, ${faults} spoiled answers, ${continued} archives gone on: each row once.`,
  );
} finally {
  await chaos.stop();
  await keeper.stop();
}
