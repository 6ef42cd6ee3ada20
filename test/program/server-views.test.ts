import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLogsTables, type Generation, migratePostgres } from '../../bin/demo/generations.ts';
import { queryClickhouse } from '../../bin/demo/query.ts';
import { relayClickhouse } from '../helpers/clickhouse-relay.ts';
import { ndjson, run, type Started, start } from '../helpers/program.ts';
import { testServices } from '../helpers/services.ts';

const WEB = 'd0000000-0000-4000-8000-000000000001';
const DNS = 'd0000000-0000-4000-8000-000000000002';
const ROWS = 600;
const START = Date.parse('2026-03-01T00:00:00Z');
const STEP_MS = 10 * 60_000;
/** Tables that must not get restored rows: they live longer than the logs, or serve alerts. */
const CONTENTS: Record<string, string> = {
  logs_hot: 'SELECT count(), sum(sipHash64(timestamp, log_id, fractal_id)) FROM logs_hot',
  proc_lineage: 'SELECT * FROM proc_lineage FINAL ORDER BY ALL',
  proc_freq: `SELECT fractal_id, src_image, event_type, target_norm, day, sum(cnt), uniqMerge(hosts)
    FROM proc_freq GROUP BY ALL ORDER BY ALL`,
  process_edges: 'SELECT * FROM process_edges FINAL ORDER BY ALL',
};

interface Restored {
  result?: { rows_added: number; rows_there: number; rows_removed: number; into: { id: string } };
}

for (const generation of ['D', 'H'] as const) {
  const services = await testServices();
  const database = `${services.clickhouse.database}_${generation}`;
  const ch = async (sql: string) => (await queryClickhouse(services.clickhouse, database, sql)).trim();
  let victim: Started | undefined;
  const relay = await relayClickhouse(services.clickhouse.url, (sql) => {
    if (!victim || !sql.includes('logs_histogram') || !/^(?:DELETE|INSERT)/.test(sql)) return undefined;
    victim.child.kill('SIGKILL');
    return 115;
  });
  const { dir } = await services.installation({ CLICKHOUSE_URL: relay.url, CLICKHOUSE_DB: database });
  describe(`counts and views of release ${generation}`, () => {
    let archive = '';
    let left_alone = '';

    before(async () => {
      await migratePostgres(services.postgres, 'A', generation);
      await services.sql(`INSERT INTO fractals (id, name) VALUES ('${WEB}', 'web'), ('${DNS}', 'dns')`);
      await queryClickhouse(services.clickhouse, 'default', `CREATE DATABASE ${database}`);
      await createLogsTables(services.clickhouse, database, generation);
      for (const fractal of [WEB, DNS]) await insert(ch, generation, fractal, 0, ROWS);
      const { code, stderr, stdout } = await run(['archive', 'web', '--json', '--dir', dir]);
      assert.equal(code, 0, `${stderr}${stdout}`);
      const [listed] = ndjson<{ id: string }>(await run(['list', 'archives', '--json', '--dir', dir]));
      archive = listed?.id ?? '';
      left_alone = await contents();
    });
    after(async () => {
      await relay.close();
      await queryClickhouse(services.clickhouse, 'default', `DROP DATABASE ${database} SYNC`);
    });

    /** What the other tables contain. */
    async function contents(): Promise<string> {
      const tables = await ch(`SELECT name FROM system.tables WHERE database = '${database}' ORDER BY name`);
      const present = tables.split('\n').filter((name) => name in CONTENTS);
      assert.equal(present.length, generation === 'H' ? 4 : 1);
      const rows = await Promise.all(present.map((name) => ch(CONTENTS[name] ?? '')));
      return rows.join('\n');
    }

    /** Rows in the logs, in the counts, and minutes in which they differ. */
    const counts = () =>
      ch(`SELECT sum(n), sum(c), countIf(n != c) FROM (
        SELECT f, minute, sum(n) AS n, sum(c) AS c FROM (
          SELECT fractal_id AS f, toStartOfMinute(timestamp) AS minute, 1 AS n, 0 AS c FROM logs
          UNION ALL SELECT fractal_id, minute, 0, cnt FROM logs_histogram) GROUP BY f, minute) FORMAT CSV`);

    /** As the server's retention does it. */
    async function expire(): Promise<void> {
      await ch(`DELETE FROM logs WHERE fractal_id = '${WEB}'`);
      await ch(`DELETE FROM logs_histogram WHERE fractal_id = '${WEB}'`);
      assert.equal(await counts(), `${ROWS},${ROWS},0`);
    }

    const args = (...more: string[]) => [
      'restore-archive',
      archive,
      '--yes',
      '--json',
      ...more,
      '--dir',
      dir,
    ];

    async function restore(...more: string[]) {
      const ended = await run(args(...more));
      assert.equal(ended.code, 0, `${ended.stderr}${ended.stdout}`);
      return ndjson<Restored>(ended).at(-1)?.result;
    }

    async function killed(...more: string[]): Promise<void> {
      victim = start(args(...more));
      const { signal } = await victim.ended;
      victim = undefined;
      assert.equal(signal, 'SIGKILL');
    }

    test('attached rows are counted once, and again after a second restore', async () => {
      await expire();
      for (const added of [ROWS, 0]) {
        assert.equal((await restore())?.rows_added, added);
        assert.equal(await counts(), `${2 * ROWS},${2 * ROWS},0`);
      }
    });

    test('after a kill between attaching and counting, the same call corrects the counts', async () => {
      await expire();
      await killed();
      assert.equal(await counts(), `${2 * ROWS},${ROWS},${ROWS}`);
      await restore();
      assert.equal(await counts(), `${2 * ROWS},${2 * ROWS},0`);
    });

    test('after such a kill, any later job corrects the counts', async () => {
      await expire();
      await killed();
      const { code, stderr } = await run(['archive', 'dns', '--json', '--dir', dir]);
      assert.equal(code, 0, stderr);
      assert.equal(await counts(), `${2 * ROWS},${2 * ROWS},0`);
    });

    test('rows that the server inserted are counted by its view, those that are replaced no longer', async () => {
      await insert(ch, generation, WEB, ROWS, 50);
      await ch(`DELETE FROM logs WHERE fractal_id = '${WEB}' AND log_id < '00000100'`);
      left_alone = await contents();
      assert.equal((await restore())?.rows_added, 100);
      assert.equal(await counts(), `${2 * ROWS + 50},${2 * ROWS + 50},0`);
      const to = new Date(START + (ROWS + 20) * STEP_MS).toISOString();
      for (const interrupted of [true, false]) {
        if (interrupted) await killed('--replace', '--to', to);
        else assert.equal((await restore('--replace', '--to', to))?.rows_removed, ROWS + 20);
      }
      assert.equal(await counts(), `${2 * ROWS + 30},${2 * ROWS + 30},0`);
    });

    test('a new fractal has counts as well', async () => {
      const result = await restore('--into-new', `again ${generation}`);
      const own = await ch(
        `SELECT count(), (SELECT sum(cnt) FROM logs_histogram WHERE fractal_id = '${result?.into.id}') FROM logs WHERE fractal_id = '${result?.into.id}' FORMAT CSV`,
      );
      assert.equal(own, `${ROWS},${ROWS}`);
      const [fractal] = await services.sql(`SELECT to_jsonb(f) ->> 'restored_from_fractal_id' AS origin,
        retention_days FROM fractals f WHERE id = '${result?.into.id}'`);
      assert.deepEqual(fractal, { origin: generation === 'H' ? WEB : null, retention_days: null });
    });

    test('the other views got no rows', async () => {
      assert.equal(await contents(), left_alone);
    });
  });
}

/** Inserts rows as the server does; its views see them. */
async function insert(
  ch: (sql: string) => Promise<string>,
  generation: Generation,
  fractal: string,
  from: number,
  rows: number,
): Promise<void> {
  const raw = generation < 'G' ? ['raw_log, ', `concat('line ', toString(number)), `] : ['', ''];
  const fields = `concat('{"process_guid":"g', toString(number), '","image":"a.exe","bifract_category":"process_creation"}')`;
  await ch(`INSERT INTO logs (timestamp, ${raw[0]}log_id, fields, fractal_id)
    SELECT fromUnixTimestamp64Milli(toInt64(${START}) + toInt64(number) * ${STEP_MS}), ${raw[1]}leftPad(toString(number), 8, '0'), ${fields}, '${fractal}'
    FROM numbers(${from}, ${rows})`);
}
