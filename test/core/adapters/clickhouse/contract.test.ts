import { connectClickHouse } from '../../../../src/core/adapters/clickhouse/log-database.ts';
import { connectLogRestore } from '../../../../src/core/adapters/clickhouse/log-restore.ts';
import { logDatabaseContract, ROWS } from '../../../contracts/log-database.ts';
import { logRestoreContract } from '../../../contracts/log-restore.ts';
import { testServices } from '../../../helpers/services.ts';

const full = await testServices();
const empty = await testServices();

logDatabaseContract('ClickHouse', async () => {
  const lines = ROWS.map((row) =>
    JSON.stringify({
      timestamp: row.ts,
      raw_log: row.raw,
      log_id: row.id,
      fields: row.fields,
      fractal_id: row.fid,
      ingest_timestamp: row.its,
    }),
  );
  await full.ch(
    `INSERT INTO logs SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow ${lines.join('\n')}`,
  );
  return connectClickHouse({ ...full.clickhouse, cluster: undefined });
});

logRestoreContract('ClickHouse, for restoring', async () => {
  const connection = { ...empty.clickhouse, cluster: undefined };
  return { restore: await connectLogRestore(connection), logs: await connectClickHouse(connection) };
});
