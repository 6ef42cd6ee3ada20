import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { cancelled } from '../../src/core/contract/errors.ts';
import type { LogDatabase } from '../../src/core/ports/log-database.ts';
import type { LogRestore } from '../../src/core/ports/log-restore.ts';
import { collectLines } from '../helpers/streams.ts';
import { refuses } from './storage.ts';

/** A log database under test, to restore rows into and to read them from. Both may be the same object. */
interface RestoreUnderTest {
  restore: LogRestore;
  logs: LogDatabase;
}

const INGESTED = '2026-03-20T00:00:00.000Z';
const INGESTED_MS = Date.parse(INGESTED);
const MARCH = '2026-03-01T12:00:00.000Z';
const APRIL = '2026-04-01T00:00:00.000Z';

interface Row {
  ts: string;
  raw: string;
  its?: string;
}

/** What every log database must do when rows are restored into it. `make` opens an empty one. */
export function logRestoreContract(title: string, make: () => Promise<RestoreUnderTest>): void {
  describe(title, () => {
    let restore: LogRestore;
    let logs: LogDatabase;
    before(async () => {
      ({ restore, logs } = await make());
    });
    after(() => Promise.all([restore.close(), logs.close()]));

    async function staged(table: string, fractal_id: string, rows: Row[]): Promise<string> {
      await restore.create(table);
      await restore.load(table, fractal_id, linesOf(rows));
      return table;
    }

    /** Adds rows to the logs. */
    async function insert(fractal_id: string, rows: Row[]): Promise<void> {
      const table = await staged(`i_${fractal_id}`, fractal_id, rows);
      for (const { id } of await restore.partitions(table)) await restore.attach(table, [id]);
      await restore.drop(table);
    }

    /** Log lines of a fractal in the logs, sorted. */
    async function held(fractal_id: string): Promise<string[]> {
      const { bytes } = await collectLines(logs.lines({ fractal_id }, { fields: false }));
      const lines = bytes.toString().split('\n').filter(Boolean);
      return lines.map((line) => (JSON.parse(line) as Row).raw).sort();
    }

    test('a new table is empty, and is listed until it is dropped', async () => {
      for (const table of ['t_b', 't_a', 'u_a']) await restore.create(table);
      assert.equal(await restore.count('t_a'), 0);
      assert.deepEqual(await restore.partitions('t_a'), []);
      assert.deepEqual(await restore.tables('t_'), ['t_a', 't_b']);
      await refuses('QUERY_FAILED', restore.create('t_a'));
      for (const table of ['t_a', 't_b', 'u_a', 'u_a', 'never']) await restore.drop(table);
      assert.deepEqual(await restore.tables('t_'), []);
    });

    test('a table that does not exist cannot be loaded or counted', async () => {
      await refuses('QUERY_FAILED', restore.load('none', 'f', linesOf([])));
      await refuses('QUERY_FAILED', restore.count('none'));
      await refuses('QUERY_FAILED', restore.partitions('none'));
    });

    test('loaded rows are counted by month, and are not in the logs', async () => {
      const rows = [MARCH, MARCH, '2026-03-31T23:59:59.999Z', APRIL].map((ts) => ({ ts, raw: 'x' }));
      await staged('s_load', 'load', rows);
      assert.equal(await restore.count('s_load'), 4);
      assert.deepEqual(await restore.partitions('s_load'), [
        { id: '202603', rows: 3, first: MARCH, last: '2026-03-31T23:59:59.999Z' },
        { id: '202604', rows: 1, first: APRIL, last: APRIL },
      ]);
      assert.deepEqual(await held('load'), []);
      await restore.drop('s_load');
    });

    test('a failing source fails the load with its error', async () => {
      await restore.create('s_broken');
      const reason = new Error('damaged');
      const lines = async function* () {
        yield* linesOf(Array.from({ length: 3000 }, () => ({ ts: MARCH, raw: 'x'.repeat(100) })));
        throw reason;
      };
      await assert.rejects(restore.load('s_broken', 'f', lines()), (error) => error === reason);
      await restore.drop('s_broken');
      assert.deepEqual(await restore.tables('s_broken'), []);
    });

    test('a partition is added to another table, and the first keeps it', async () => {
      await staged('s_clone', 'clone', [
        { ts: MARCH, raw: 'a' },
        { ts: APRIL, raw: 'b' },
      ]);
      await restore.create('d_clone');
      await restore.clonePartitions('s_clone', 'd_clone', ['202603']);
      assert.deepEqual([await restore.count('d_clone'), await restore.count('s_clone')], [1, 2]);
      for (const table of ['s_clone', 'd_clone']) await restore.drop(table);
    });

    test('attached rows are in the logs of their fractal; attached again, they are duplicated', async () => {
      await staged('s_attach', 'attach', [
        { ts: MARCH, raw: 'a' },
        { ts: APRIL, raw: 'b' },
      ]);
      await restore.attach('s_attach', ['202603']);
      assert.deepEqual(await held('attach'), ['a']);
      assert.deepEqual(await logs.stats({ fractal_id: 'attach' }), { rows: 1, first: MARCH, last: MARCH });
      await restore.attach('s_attach', ['202603']);
      assert.deepEqual(await held('attach'), ['a', 'a']);
      assert.equal(await restore.count('s_attach'), 2);
      await restore.drop('s_attach');
    });

    test('several partitions are added and attached together', async () => {
      const rows = [MARCH, APRIL, '2026-05-01T00:00:00.000Z'].map((ts, n) => ({ ts, raw: String(n) }));
      await staged('s_several', 'several', rows);
      await restore.create('d_several');
      await restore.clonePartitions('s_several', 'd_several', ['202603', '202605']);
      assert.equal(await restore.count('d_several'), 2);
      await restore.attach('d_several', ['202603', '202605']);
      assert.deepEqual(await held('several'), ['0', '2']);
      for (const table of ['s_several', 'd_several']) await restore.drop(table);
    });

    test('of each distinct row, the logs end up with the larger of the two counts', async () => {
      const times = (count: number, raw: string): Row[] =>
        Array.from({ length: count }, () => ({ ts: MARCH, raw }));
      await insert('some', [
        ...times(1, 'three'),
        ...times(4, 'two'),
        ...times(5, 'five'),
        ...times(2, 'other'),
      ]);
      await staged('s_some', 'some', [
        ...times(3, 'three'),
        ...times(1, 'one'),
        ...times(2, 'two'),
        ...times(5, 'five'),
      ]);
      await restore.create('d_some');
      const [partition] = await restore.partitions('s_some');
      assert.ok(partition);
      await restore.insertMissing({ table: 's_some', ...partition, fractal_id: 'some' }, 'd_some');
      assert.equal(await restore.count('d_some'), 3);
      await restore.attach('d_some', [partition.id]);
      const counts = [...Map.groupBy(await held('some'), (raw) => raw)].map(([raw, { length }]) => [
        raw,
        length,
      ]);
      assert.deepEqual(Object.fromEntries(counts), { five: 5, one: 1, other: 2, three: 3, two: 4 });
      for (const table of ['s_some', 'd_some']) await restore.drop(table);
    });

    test('partitions overlap the logs if both have rows in the same minute', async () => {
      const times = (...minutes: string[]) => minutes.map((ts) => ({ ts, raw: ts }));
      await insert('overlap', times('2026-03-01T12:00:59.999Z', '2026-04-30T23:59:00.000Z'));
      await insert('overlap_other', times('2026-05-01T00:00:00.000Z'));
      const before = [MARCH, '2026-04-30T23:58:59.999Z', '2026-05-01T00:00:00.000Z'];
      await staged('s_overlap', 'overlap', times(...before));
      const rows = { table: 's_overlap', fractal_id: 'overlap', first: MARCH, last: before.at(-1) ?? '' };
      assert.deepEqual(await restore.overlapping(rows), ['202603']);
      await staged('s_overlaps', 'overlap', times(...before, '2026-04-30T23:59:59.000Z'));
      assert.deepEqual(await restore.overlapping({ ...rows, table: 's_overlaps' }), ['202603', '202604']);
      for (const table of ['s_overlap', 's_overlaps']) await restore.drop(table);
    });

    test('rows are digested by time, with their number', async () => {
      const times = [MARCH, MARCH, '2026-03-01T12:00:59.999Z', '2026-03-01T12:01:00.000Z', APRIL];
      const rows = times.map((ts, n) => ({ ts, raw: n < 2 ? 'twice' : `ünï "${n}" \\ \n` }));
      await insert('digests', rows);
      await insert('others', [{ ts: MARCH, raw: 'foreign' }]);
      assert.deepEqual(await restore.rowIdentity(), { line: true });
      for (const bucket_ms of [60_000, 120_000]) {
        const salt = randomBytes(16);
        const query = {
          fractal_id: 'digests',
          from_ms: Date.parse(MARCH),
          to_ms: Date.parse(APRIL),
          bucket_ms,
          salt,
        };
        const within = rows.slice(0, 4);
        const buckets = Map.groupBy(within, ({ ts }) => Math.floor(Date.parse(ts) / bucket_ms));
        assert.deepEqual(
          [...(await restore.digests(query))].sort(([a], [b]) => a - b),
          [...buckets].map(([bucket, held]) => [
            bucket,
            {
              rows: held.length,
              hash: BigInt.asUintN(
                128,
                held.reduce((sum, row) => sum + hashOf(row, salt), 0n),
              ),
            },
          ]),
        );
      }
    });

    test('only rows of the window ingested up to the cutoff are removed', async () => {
      const late = new Date(INGESTED_MS + 1).toISOString();
      await insert('gone', [
        { ts: MARCH, raw: 'old' },
        { ts: MARCH, raw: 'late', its: late },
        { ts: APRIL, raw: 'outside' },
      ]);
      await insert('kept', [{ ts: MARCH, raw: 'foreign' }]);
      const window = { fractal_id: 'gone', to: APRIL };
      assert.equal(await restore.countUntil(window, INGESTED_MS), 1);
      await restore.removeUntil(window, INGESTED_MS);
      assert.equal(await restore.countUntil(window, INGESTED_MS), 0);
      assert.deepEqual(await held('gone'), ['late', 'outside']);
      assert.deepEqual(await held('kept'), ['foreign']);
    });

    test('reports its clock and free space', async () => {
      const ms = await restore.clock();
      assert.ok(Number.isSafeInteger(ms) && ms > Date.UTC(2026, 0, 1), String(ms));
      const free = await restore.freeBytes();
      assert.ok(free === null || free > 1000, String(free));
    });

    test('every call fails with the reason of its signal', async () => {
      const reason = cancelled();
      const options = { signal: AbortSignal.abort(reason) };
      const window = { fractal_id: 'f' };
      const partition = { id: '202603', rows: 1, first: MARCH, last: MARCH };
      await restore.create('s_signal');
      const calls: (() => Promise<unknown>)[] = [
        () => restore.create('s_other', options),
        () => restore.load('s_signal', 'f', linesOf([{ ts: MARCH, raw: 'x' }]), options),
        () => restore.count('s_signal', options),
        () => restore.partitions('s_signal', options),
        () => restore.clonePartitions('s_signal', 's_signal', ['202603'], options),
        () => restore.overlapping({ table: 's_signal', ...partition, fractal_id: 'f' }, options),
        () =>
          restore.insertMissing({ table: 's_signal', ...partition, fractal_id: 'f' }, 's_signal', options),
        () =>
          restore.digests(
            { fractal_id: 'f', from_ms: 0, to_ms: 1, bucket_ms: 1, salt: randomBytes(16) },
            options,
          ),
        () => restore.attach('s_signal', ['202603'], options),
        () => restore.countUntil(window, 0, options),
        () => restore.removeUntil(window, 0, options),
        () => restore.clock(options),
        () => restore.tables('s_', options),
        () => restore.drop('s_signal', options),
      ];
      for (const call of calls) await assert.rejects(call, (error) => error === reason);
      assert.equal(await restore.count('s_signal'), 0);
      await restore.drop('s_signal');
    });
  });
}

/** Archive lines, as `load` takes them. */
async function* linesOf(rows: Row[]): AsyncGenerator<Buffer> {
  for (const { ts, raw, its = INGESTED } of rows)
    yield Buffer.from(`${JSON.stringify({ ts, raw, id: 'x', fid: 'f', its })}\n`);
}

/** The hash of a row of `linesOf` as the port defines it. */
function hashOf({ ts, raw, its = INGESTED }: Row, salt: Buffer): bigint {
  const numbers = Buffer.alloc(20);
  numbers.writeBigInt64LE(BigInt(Date.parse(ts)), 0);
  numbers.writeBigInt64LE(BigInt(Date.parse(its)), 8);
  numbers.writeUInt32LE(1, 16);
  const digest = createHash('sha256').update(salt).update(numbers).update(`x${raw}`).digest();
  return digest.readBigUInt64LE(0) + (digest.readBigUInt64LE(8) << 64n);
}
