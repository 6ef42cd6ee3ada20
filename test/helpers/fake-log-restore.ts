import { createHash } from 'node:crypto';
import { BifractError } from '../../src/core/contract/errors.ts';
import type {
  CountQuery,
  LineBlock,
  LineOptions,
  LogDatabase,
  LogStats,
  LogWindow,
  PeriodCount,
  PeriodGrid,
  PeriodStats,
} from '../../src/core/ports/log-database.ts';
import type {
  DigestQuery,
  LogRestore,
  StagedPartition,
  StagedRows,
} from '../../src/core/ports/log-restore.ts';
import type { CallOptions } from '../../src/core/ports/types.ts';
import { countRows } from './count-rows.ts';
import { LOGS_SHAPE } from './fake-ports.ts';

/** A row of the fake. */
export interface FakeRow {
  fractal: string;
  ts: string;
  its: string;
  id: string;
  raw: string;
  fields?: object;
}

/** A failure injected into a call, before or after it takes effect. */
export interface InjectedFailure {
  /** Number of the call, from 1. */
  call: number;
  when: 'before' | 'after';
  /** Thrown by the call; with `fatal`, by all later calls too. */
  error: Error;
  fatal: boolean;
}

/** An in-memory log database with staging tables and injected failures. */
export class FakeLogRestore implements LogRestore, LogDatabase {
  logs: FakeRow[] = [];
  /** Rows that were attached or deleted, and that the counts per minute do not reflect yet. */
  uncounted: FakeRow[] = [];
  readonly stagingTables = new Map<string, FakeRow[]>();
  failure: InjectedFailure | undefined;
  calls = 0;
  now_ms = Date.UTC(2030, 0, 1);
  /** Runs before each call, to simulate concurrent work. */
  beforeCall: (name: string) => void = () => {};

  async #call<T>(name: string, { signal }: CallOptions, work: () => T | Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const number = ++this.calls;
    this.beforeCall(name);
    const injected = this.failure;
    if (injected?.fatal && number > injected.call) throw injected.error;
    if (injected?.call === number && injected.when === 'before') throw injected.error;
    const result = await work();
    if (injected?.call === number && injected.when === 'after') throw injected.error;
    return result;
  }

  #table(name: string): FakeRow[] {
    const table = this.stagingTables.get(name);
    if (!table) throw new BifractError('QUERY_FAILED', `Table ${name} does not exist`);
    return table;
  }

  create(table: string, options: CallOptions = {}) {
    return this.#call('create', options, () => {
      if (this.stagingTables.has(table))
        throw new BifractError('QUERY_FAILED', `Table ${table} already exists`);
      this.stagingTables.set(table, []);
    });
  }

  load(table: string, fractal: string, lines: AsyncIterable<Buffer>, options: CallOptions = {}) {
    return this.#call('load', options, async () => {
      const rows = this.#table(table);
      const parts: Buffer[] = [];
      for await (const part of lines) parts.push(part);
      for (const line of Buffer.concat(parts).toString().split('\n').filter(Boolean))
        rows.push(loadedRow(line, fractal));
    });
  }

  count(table: string, options: CallOptions = {}) {
    return this.#call('count', options, () => this.#table(table).length);
  }

  partitions(table: string, options: CallOptions = {}): Promise<StagedPartition[]> {
    return this.#call('partitions', options, () => {
      const rows = this.#table(table);
      return [...new Set(rows.map(partitionOf))].sort().map((id) => {
        const times = rows.filter((row) => partitionOf(row) === id).map(({ ts }) => ts);
        return { id, rows: times.length, first: min(times), last: max(times) };
      });
    });
  }

  async clonePartitions(from: string, to: string, ids: readonly string[], options: CallOptions = {}) {
    for (const partition of ids)
      await this.#call('clonePartition', options, () => {
        this.#table(to).push(...this.#table(from).filter((row) => partitionOf(row) === partition));
      });
  }

  overlapping({ table, fractal_id }: StagedRows, options: CallOptions = {}) {
    return this.#call('overlapping', options, () => {
      const minuteOf = ({ ts }: FakeRow) => ts.slice(0, '2026-03-01T12:00'.length);
      const minutes = new Set(this.logs.filter(({ fractal }) => fractal === fractal_id).map(minuteOf));
      const rows = this.#table(table).filter((row) => minutes.has(minuteOf(row)));
      return [...new Set(rows.map(partitionOf))].sort();
    });
  }

  insertMissing({ table, fractal_id }: StagedRows, to: string, options: CallOptions = {}) {
    return this.#call('insertMissing', options, () => {
      const existing = new Map<string, number>();
      for (const row of this.logs.filter(({ fractal }) => fractal === fractal_id))
        existing.set(keyOf(row), (existing.get(keyOf(row)) ?? 0) + 1);
      for (const row of this.#table(table)) {
        const left = existing.get(keyOf(row)) ?? 0;
        if (left > 0) existing.set(keyOf(row), left - 1);
        else this.#table(to).push(row);
      }
    });
  }

  rowIdentity(options: CallOptions = {}) {
    return this.#call('rowIdentity', options, () => ({ line: true }));
  }

  digests({ fractal_id, from_ms, to_ms, bucket_ms, salt }: DigestQuery, options: CallOptions = {}) {
    return this.#call('digests', options, () => {
      const rows = this.logs
        .map((row) => ({ ...row, ms: Date.parse(row.ts) }))
        .filter(({ fractal, ms }) => fractal === fractal_id && ms >= from_ms && ms < to_ms);
      const buckets = Map.groupBy(rows, ({ ms }) => Math.floor(ms / bucket_ms));
      return new Map(
        [...buckets].map(([bucket, held]) => {
          const hash = held.reduce((sum, row) => sum + hashOf(row, salt), 0n);
          return [bucket, { rows: held.length, hash: BigInt.asUintN(128, hash) }];
        }),
      );
    });
  }

  async attach(from: string, ids: readonly string[], options: CallOptions = {}) {
    for (const partition of ids)
      await this.#call('attach', options, () => {
        const rows = this.#table(from).filter((row) => partitionOf(row) === partition);
        this.logs.push(...rows);
        this.uncounted.push(...rows);
      });
  }

  countUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}) {
    return this.#call('countUntil', options, () => this.logs.filter(until(window, cutoff_ms)).length);
  }

  removeUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}) {
    return this.#call('removeUntil', options, () => {
      const removed = until(window, cutoff_ms);
      this.uncounted.push(...this.logs.filter(removed));
      this.logs = this.logs.filter((row) => !removed(row));
    });
  }

  clock(options: CallOptions = {}) {
    return this.#call('clock', options, () => this.now_ms);
  }

  tables(prefix: string, options: CallOptions = {}) {
    return this.#call('tables', options, () =>
      [...this.stagingTables.keys()].filter((name) => name.startsWith(prefix)).sort(),
    );
  }

  drop(table: string, options: CallOptions = {}) {
    return this.#call('drop', options, () => void this.stagingTables.delete(table));
  }

  async freeBytes() {
    return null;
  }

  updateCounts(window: LogWindow, options: CallOptions = {}) {
    return this.#call('updateCounts', options, () => {
      const counted = inWindow(window);
      this.uncounted = this.uncounted.filter((row) => !counted(row));
    });
  }
  async shape() {
    return LOGS_SHAPE;
  }
  async version() {
    return 'fake';
  }

  stats(window: LogWindow, options: CallOptions = {}): Promise<LogStats> {
    return this.#call('stats', options, () => statsOf(this.logs.filter(inWindow(window))));
  }

  async periods(window: LogWindow, grid: PeriodGrid, options: CallOptions = {}): Promise<PeriodStats[]> {
    return this.#call('periods', options, () =>
      [...Map.groupBy(sorted(this.logs.filter(inWindow(window))), (row) => periodOf(row, grid))].map(
        ([start, rows]) => ({ start: new Date(start).toISOString(), ...statsOf(rows) }),
      ),
    );
  }

  statsByFractal(options: CallOptions = {}): Promise<Map<string, LogStats>> {
    return this.#call('statsByFractal', options, () => {
      const groups = Map.groupBy(this.logs, ({ fractal }) => fractal);
      return new Map([...groups].map(([fractal, rows]) => [fractal, statsOf(rows)]));
    });
  }

  countsByPeriod(query: CountQuery, options: CallOptions = {}): Promise<PeriodCount[]> {
    return this.#call('countsByPeriod', options, () => {
      const rows = this.logs.filter(({ fractal }) => fractal === query.fractal_id);
      const times = rows.map(({ ts, its }) => ({ time: Date.parse(ts), ingested: Date.parse(its) }));
      return countRows(times, query);
    });
  }

  async *lines(window: LogWindow, { fields, start, signal }: LineOptions): AsyncGenerator<LineBlock> {
    const rows = await this.#call('lines', { signal }, () => sorted(this.logs.filter(inWindow(window))));
    for (const row of rows) {
      signal?.throwIfAborted();
      if (start && !isFrom(row, start)) continue;
      const { fractal: fid, ts, its, id, raw } = row;
      const line = { ts, raw, id, fid, its, ...(fields && { fields: row.fields ?? {} }) };
      yield { bytes: Buffer.from(`${JSON.stringify(line)}\n`), lines: 1 };
    }
  }

  async close() {}
}

/** The rows of a fractal, one line per row, sorted. */
export function rowsOf(rows: FakeRow[], fractal: string): string[] {
  return rows
    .filter((row) => row.fractal === fractal)
    .map(keyOf)
    .sort();
}

function loadedRow(line: string, fractal: string): FakeRow {
  const { ts, its, id, raw = '', raw64 = '', fields } = JSON.parse(line);
  const text = raw64 === '' ? raw : Buffer.from(raw64, 'base64').toString();
  return { fractal, ts, its, id, raw: text, ...(fields && { fields }) };
}

function hashOf({ ts, its, id, raw }: FakeRow, salt: Uint8Array): bigint {
  const numbers = Buffer.alloc(20);
  numbers.writeBigInt64LE(BigInt(Date.parse(ts)), 0);
  numbers.writeBigInt64LE(BigInt(Date.parse(its)), 8);
  numbers.writeUInt32LE(Buffer.byteLength(id), 16);
  const digest = createHash('sha256').update(salt).update(numbers).update(id).update(raw).digest();
  return BigInt(`0x${digest.subarray(0, 16).reverse().toString('hex')}`);
}

function keyOf({ ts, its, id, raw }: FakeRow): string {
  return [new Date(ts).toISOString(), id, raw, new Date(its).toISOString()].join(' ');
}

function partitionOf({ ts }: FakeRow): string {
  return ts.slice(0, 7).replace('-', '');
}

function periodOf({ ts }: FakeRow, { length_ms, shift_ms }: PeriodGrid): number {
  return Math.floor((Date.parse(ts) + shift_ms) / length_ms) * length_ms - shift_ms;
}

function statsOf(rows: readonly FakeRow[]): LogStats {
  const times = rows.map(({ ts }) => ts);
  if (times.length === 0) return { rows: 0, first: null, last: null };
  return { rows: times.length, first: min(times), last: max(times) };
}

function sorted(rows: readonly FakeRow[]): FakeRow[] {
  return rows.toSorted((a, b) => Date.parse(a.ts) - Date.parse(b.ts) || (a.id < b.id ? -1 : 1));
}

function isFrom({ ts, id }: FakeRow, start: NonNullable<LineOptions['start']>): boolean {
  const later = Date.parse(ts) - Number(start.ms);
  return later > 0 || (later === 0 && Buffer.compare(Buffer.from(id), Buffer.from(start.id, 'hex')) >= 0);
}

function inWindow({ fractal_id, from, to }: LogWindow) {
  return ({ fractal, ts }: FakeRow) =>
    fractal === fractal_id &&
    (from === undefined || Date.parse(ts) >= Date.parse(from)) &&
    (to === undefined || Date.parse(ts) < Date.parse(to));
}

function until(window: LogWindow, cutoff_ms: number) {
  const matches = inWindow(window);
  return (row: FakeRow) => matches(row) && Date.parse(row.its) <= cutoff_ms;
}

const min = (values: string[]) => [...values].sort()[0] as string;
const max = (values: string[]) => [...values].sort().at(-1) as string;
