import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connectClickHouse } from '../../src/core/adapters/clickhouse/log-database.ts';
import { relayClickhouse } from '../helpers/clickhouse-relay.ts';
import { collectLines } from '../helpers/streams.ts';
import { type GenerationInstallation, OTHER, WEB } from './installation.ts';

/** Codes of errors about names: unknown columns, tables and functions, and columns that are not there. */
const CLICKHOUSE_NAMES = new Set(['8', '10', '16', '36', '46', '47', '60', '81']);
const POSTGRES_NAMES = /^(42P01|42703|42704|42883|3F000)$/;

/** Statements that were refused because of a name in them. */
export function wrongNames(
  { relay }: GenerationInstallation,
  postgres: readonly { sql: string; code: string }[],
) {
  return [
    ...relay.failures.filter(({ code }) => CLICKHOUSE_NAMES.has(code)),
    ...postgres.filter(({ code }) => POSTGRES_NAMES.test(code)),
  ].map(({ sql, code }) => `${code}: ${sql}`);
}

/** Methods of the ports that nothing has called: their statements were not sent. */
export async function notCalled({ ports, called }: GenerationInstallation): Promise<string[]> {
  const targets = {
    catalog: await ports.catalog(),
    logs: await ports.logs(),
    logRestore: await ports.logRestore(),
  };
  return Object.entries(targets).flatMap(([port, target]) =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(target))
      .filter((name) => name !== 'constructor' && name !== 'close')
      .filter((name) => !called[port as keyof typeof called].has(name))
      .map((name) => `${port}.${name}`),
  );
}

/** Sends the statements that the jobs of the other cells do not need. */
export async function sendOtherStatements(on: GenerationInstallation): Promise<void> {
  await changeRecords(on);
  await readAsText(on);
  await insertExcess(on);
}

/** A fractal of its own with records that come and go. */
async function changeRecords({ ports, services, engine }: GenerationInstallation): Promise<void> {
  const catalog = await ports.catalog();
  const fractal_id = randomUUID();
  await catalog.createFractal({ id: fractal_id, name: 'records' });
  const file = (name: string) => ({
    ...({
      fractal_id,
      fractal_name: 'records',
      filename: name,
      storage_type: 'disk',
      storage_path: `archives/${fractal_id}/${name}`,
    } as const),
    ...({ archive_type: 'adhoc', archive_end_ts: null, period_label: null, split: 'none' } as const),
  });
  const result = {
    ...{ size_bytes: 1, log_count: 1, checksum: 'ab' },
    ...{ time_range_start: '2026-03-01T00:00:00Z', time_range_end: '2026-03-01T00:00:00Z' },
  };
  const first = await catalog.openArchive({ ...file('one'), archive_count: 1 });
  await catalog.updateProgress(first.archive_id, { log_count: 1, size_bytes: 1 });
  await catalog.failArchive(first.archive_id, 'failed');
  await catalog.reopenArchive(first.archive_id);
  await catalog.completeArchive(first.archive_id, result);
  await catalog.moveArchive(first.archive_id, { storage_type: 's3', storage_path: 'elsewhere' });
  await catalog.closeGroup(first.group_id, { missing: 0, message: null });
  const adopted = await catalog.adoptArchive({
    ...file('two'),
    ...result,
    created_at: '2026-03-01T00:00:00Z',
  });
  await catalog.beginRestore(adopted.archive_id);
  await catalog.endRestore({ archive_id: adopted.archive_id, lines: 1, error: null });
  for (const { archive_id } of [first, adopted]) await catalog.deleteArchive(archive_id, async () => {});
  const empty = await catalog.openArchive({ ...file('three'), archive_count: 1 });
  await catalog.dropArchive(empty.archive_id);
  assert.equal(await catalog.deleteGroup(empty.group_id), false);
  assert.equal(await catalog.ingestToken(fractal_id), null);
  await catalog.copyRecords();
  assert.deepEqual(await engine.archives({ fractal_id }), []);
  await services.sql('DELETE FROM fractals WHERE id = $1', [fractal_id]);
}

/** Lines from a server that cannot send them in Native format, with and without fields. */
async function readAsText({ services, ports, rows }: GenerationInstallation): Promise<void> {
  const relay = await relayClickhouse(services.clickhouse.url, (sql) =>
    sql.endsWith('FORMAT Native') ? 115 : undefined,
  );
  const logs = await ports.logs();
  const text = await connectClickHouse({ ...services.clickhouse, url: relay.url, cluster: undefined });
  const read = async (from: typeof logs, fields: boolean) =>
    (await collectLines(from.lines({ fractal_id: WEB }, { fields }))).bytes.toString();
  for (const fields of [true, false]) {
    // Rows with the same key come in any order.
    const lines = (await read(text, fields)).replaceAll(',"cols":{}}\n', '}\n').trim().split('\n').sort();
    assert.equal(lines.length, rows);
    const decoded = (await read(logs, fields)).trim().split('\n').sort();
    const different = lines.findIndex((line, index) => line !== decoded[index]);
    assert.equal(decoded[different], lines[different]);
  }
  assert.equal((await logs.statsByFractal()).get(WEB)?.rows, rows);
  await text.close();
  await relay.close();
  assert.deepEqual(relay.failures, []);
}

/** A row that the logs have once and the archive twice. */
async function insertExcess({ services, ports, differentCounts }: GenerationInstallation): Promise<void> {
  const restore = await ports.logRestore();
  const time = '2026-03-01T00:00:00.000Z';
  await services.ch(
    `INSERT INTO logs (timestamp, log_id, fractal_id, ingest_timestamp)
     VALUES ('2026-03-01 00:00:00', 'twice', '${OTHER}', '2026-03-01 00:00:00')`,
  );
  const line = Buffer.from(`${JSON.stringify({ ts: time, raw: '', id: 'twice', its: time, fields: {} })}\n`);
  for (const table of ['bifract_test_staged', 'bifract_test_missing']) await restore.create(table);
  await restore.load(
    'bifract_test_staged',
    OTHER,
    (async function* () {
      yield line;
      yield line;
    })(),
  );
  const [partition] = await restore.partitions('bifract_test_staged');
  assert.ok(partition);
  const staged = { ...partition, table: 'bifract_test_staged', fractal_id: OTHER };
  assert.deepEqual(await restore.overlapping(staged), [partition.id]);
  await restore.insertMissing(staged, 'bifract_test_missing');
  assert.equal(await restore.count('bifract_test_missing'), 1);
  for (const table of ['bifract_test_staged', 'bifract_test_missing']) await restore.drop(table);
  await services.ch("DELETE FROM logs WHERE log_id = 'twice'");
  await restore.updateCounts({ fractal_id: OTHER });
  assert.equal(await differentCounts(), 0);
}
