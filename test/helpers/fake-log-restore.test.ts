import { logDatabaseContract, ROWS, STEP } from '../contracts/log-database.ts';
import { logRestoreContract } from '../contracts/log-restore.ts';
import { FakeLogRestore } from './fake-log-restore.ts';
import { FakeLogs, FRACTAL_ID } from './fake-ports.ts';

logDatabaseContract('fake of generated rows', async () =>
  Object.assign(new FakeLogs(ROWS.length, STEP), { fractal_id: FRACTAL_ID }),
);

logDatabaseContract('fake of given rows', async () => {
  const logs = new FakeLogRestore();
  logs.logs = ROWS.map(({ fid, ...row }) => ({ ...row, fractal: fid }));
  return logs;
});

logRestoreContract('fake of given rows, for restoring', async () => {
  const fake = new FakeLogRestore();
  return { restore: fake, logs: fake };
});
