import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cancelled } from '../../src/core/contract/errors.ts';
import { GRIDS } from '../../src/core/policy/periods.ts';
import type { LineOptions, LogDatabase, LogWindow } from '../../src/core/ports/log-database.ts';
import { countRows } from '../helpers/count-rows.ts';
import { FRACTAL_ID, lineOf } from '../helpers/fake-ports.ts';
import { collectLines } from '../helpers/streams.ts';

/** A row of the database under test, and its line in an archive. */
interface ContractRow {
  ts: string;
  raw: string;
  id: string;
  fid: string;
  its: string;
  fields: Record<string, unknown>;
}

/** Seconds between the rows. */
export const STEP = 1800;
/** Ten hours of rows of `FRACTAL_ID`. */
export const ROWS = Array.from({ length: 20 }, (_, row) => JSON.parse(lineOf(row, STEP)) as ContractRow);

const HOUR_MS = 3_600_000;
const ALL: LogWindow = { fractal_id: FRACTAL_ID };
const [FIRST, LAST] = [ROWS[0] as ContractRow, ROWS.at(-1) as ContractRow];

/** What every log database must do. `make` opens one that has exactly the rows of `ROWS`. */
export function logDatabaseContract(title: string, make: () => Promise<LogDatabase>): void {
  describe(title, () => {
    let logs: LogDatabase;
    before(async () => {
      logs = await make();
    });
    after(() => logs.close());

    const linesOf = async (window: LogWindow, options: Partial<LineOptions> = {}) => {
      const { bytes, lines } = await collectLines(logs.lines(window, { fields: true, ...options }));
      const texts = bytes.toString().split('\n');
      assert.equal(texts.pop(), '', 'the last line is complete');
      assert.equal(texts.length, lines);
      return texts.map((text) => JSON.parse(text) as ContractRow);
    };

    test('has a version', async () => {
      assert.match(await logs.version(), /\S/);
    });

    test('counts rows and time range of a window from its start (inclusive) to its end (exclusive)', async () => {
      assert.deepEqual(await logs.stats(ALL), { rows: ROWS.length, first: FIRST.ts, last: LAST.ts });
      const window = { ...ALL, from: ROWS[3]?.ts, to: ROWS[7]?.ts };
      assert.deepEqual(await logs.stats(window), { rows: 4, first: ROWS[3]?.ts, last: ROWS[6]?.ts });
    });

    test('an empty window has no rows and no time range', async () => {
      const none = { rows: 0, first: null, last: null };
      assert.deepEqual(await logs.stats({ ...ALL, to: FIRST.ts }), none);
      assert.deepEqual(await logs.stats({ fractal_id: "no'ne" }), none);
      assert.deepEqual(await logs.periods({ ...ALL, to: FIRST.ts }, GRIDS.hour), []);
      assert.deepEqual(await linesOf({ ...ALL, to: FIRST.ts }), []);
      assert.deepEqual(await linesOf({ fractal_id: "no'ne" }), []);
    });

    test('counts the rows of each period, earliest first', async () => {
      for (const grid of [GRIDS.hour, GRIDS.day, { length_ms: 2 * HOUR_MS, shift_ms: HOUR_MS }]) {
        const { length_ms, shift_ms } = grid;
        const start = ({ ts }: ContractRow) =>
          Math.floor((Date.parse(ts) + shift_ms) / length_ms) * length_ms - shift_ms;
        const expected = [...Map.groupBy(ROWS.slice(1), start)].map(([from, rows]) => ({
          start: new Date(from).toISOString(),
          rows: rows.length,
          first: rows[0]?.ts,
          last: rows.at(-1)?.ts,
        }));
        assert.deepEqual(await logs.periods({ ...ALL, from: ROWS[1]?.ts }, grid), expected);
      }
    });

    test('counts the rows of every fractal that has some', async () => {
      const all = await logs.statsByFractal();
      assert.deepEqual([...all], [[FRACTAL_ID, { rows: ROWS.length, first: FIRST.ts, last: LAST.ts }]]);
    });

    test('counts rows by period and span, with late and doubtful ones', async () => {
      const times = ROWS.map(({ ts, its }) => ({ time: Date.parse(ts), ingested: Date.parse(its) }));
      const start = Date.parse(FIRST.ts);
      const spans = [
        { from: start + HOUR_MS, until: start + 3 * HOUR_MS },
        { from: start + 4.5 * HOUR_MS, until: null },
        { from: start + 6 * HOUR_MS, until: start + 9 * HOUR_MS },
      ];
      for (const grid of [GRIDS.hour, GRIDS.day]) {
        for (const some of [spans, []]) {
          const query = { fractal_id: FRACTAL_ID, grid, spans: some, doubt_ms: HOUR_MS };
          assert.deepEqual(await logs.countsByPeriod(query), countRows(times, query));
        }
      }
      const nothing = { fractal_id: "no'ne", grid: GRIDS.hour, spans, doubt_ms: 0 };
      assert.deepEqual(await logs.countsByPeriod(nothing), []);
    });

    test('lines have the columns of the row, and its fields if requested', async () => {
      assert.deepEqual(await linesOf(ALL), ROWS);
      const without = ROWS.map(({ fields: _, ...row }) => row);
      assert.deepEqual(await linesOf(ALL, { fields: false }), without);
      assert.deepEqual(await linesOf(ALL, { low_memory: true }), ROWS);
    });

    test('lines are those of the window', async () => {
      assert.deepEqual(await linesOf({ ...ALL, from: ROWS[3]?.ts, to: ROWS[7]?.ts }), ROWS.slice(3, 7));
      assert.deepEqual(await linesOf({ ...ALL, from: LAST.ts }), [LAST]);
    });

    test('lines start with the first row that has the key', async () => {
      const { ts, id } = ROWS[5] as ContractRow;
      const key = (text: string) => ({ ms: String(Date.parse(ts)), id: Buffer.from(text).toString('hex') });
      assert.deepEqual(await linesOf(ALL, { start: key(id) }), ROWS.slice(5));
      assert.deepEqual(await linesOf(ALL, { start: key('') }), ROWS.slice(5));
      assert.deepEqual(await linesOf(ALL, { start: key(`${id}0`) }), ROWS.slice(6));
    });

    test('every call fails with the reason of its signal', async () => {
      const reason = cancelled();
      const options = { signal: AbortSignal.abort(reason) };
      const calls: (() => Promise<unknown>)[] = [
        () => logs.stats(ALL, options),
        () => logs.periods(ALL, GRIDS.hour, options),
        () => logs.statsByFractal(options),
        () =>
          logs.countsByPeriod({ fractal_id: FRACTAL_ID, grid: GRIDS.hour, spans: [], doubt_ms: 0 }, options),
        () => linesOf(ALL, options),
      ];
      for (const call of calls) await assert.rejects(call, (error) => error === reason);
    });
  });
}
