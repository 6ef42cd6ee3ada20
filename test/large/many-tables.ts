// Backs up and restores a database of many tables: node --import tsx test/large/many-tables.ts [tables]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInstallDir } from '../../bin/demo/install-dir.ts';
import { startPostgres } from '../../bin/demo/postgres.ts';
import { queryPostgres } from '../../bin/demo/query.ts';
import { startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import { openEngine } from '../../bin/session.ts';
import { assertSameDump, dumpText } from '../helpers/dump-text.ts';
import { resultOfJob } from '../helpers/engine-jobs.ts';

const tables = Number(process.argv[2] ?? 2000);
/** With more in one transaction, the server runs out of locks. */
const BATCH = 200;

const supervisor = await startDemoSupervisor();
const dir = await mkdtemp(join(tmpdir(), 'bifract-many-'));
try {
  const postgres = await startPostgres(supervisor, 'secret');
  process.env.PATH = [postgres.bin, process.env.PATH].join(delimiter);
  for (let from = 0; from < tables; from += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, tables - from) }, (_, at) => from + at);
    await queryPostgres(
      postgres,
      some
        .map(
          (n) =>
            `CREATE TABLE t${n} (id serial PRIMARY KEY, x text UNIQUE); INSERT INTO t${n} (x) VALUES (${n})`,
        )
        .join(';'),
    );
  }
  const nowhere = { url: 'http://127.0.0.1:1', user: 'x', password: 'x', database: 'x' };
  await createInstallDir(dir, postgres, nowhere);
  const text = await dumpText(postgres, postgres.database);
  const engine = await openEngine({ dir, readOnly: false });
  const timed = async <T>(what: string, work: Promise<T>): Promise<T> => {
    const started = performance.now();
    const done = await work;
    console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return done;
  };
  const { name } = await timed(`Backup of ${tables} tables`, resultOfJob(engine, { kind: 'backup' }));
  await queryPostgres(postgres, 'DROP TABLE t1; UPDATE t2 SET x = 2000000');
  const plan = await timed('Plan', engine.planRestore({ file: name, target: { kind: 'live' } }));
  const consent = { safety_backup: false, end_sessions: true, stop_app: false };
  await timed('Restore', resultOfJob(engine, { kind: 'restore', plan, consent }));
  assertSameDump(await dumpText(postgres, postgres.database), text);
  await engine.close();
  console.log('Both dumps are identical.');
} finally {
  await supervisor.stop();
  await rm(dir, { recursive: true, force: true });
}
