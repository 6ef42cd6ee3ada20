import { BifractError } from '../../src/core/contract/errors.ts';
import type { LogDatabase, LogStats, LogWindow } from '../../src/core/ports/log-database.ts';
import type { LogRestore, StagedPart, StagedPartition } from '../../src/core/ports/log-restore.ts';

/** A row of the fake. */
export interface FakeRow {
  fractal: string;
  ts: string;
  its: string;
  id: string;
  raw: string;
}

/** A failure injected into a call, before or after it takes effect. */
export interface InjectedFailure {
  /** Number of the call, from 1. */
  call: number;
  when: 'before' | 'after';
  /** Thrown by the call; with `death`, by all later calls too. */
  error: Error;
  death: boolean;
}

/** An in-memory log database with staging tables and injected failures. */
export class FakeLogRestore implements LogRestore, Pick<LogDatabase, 'stats'> {
  logs: FakeRow[] = [];
  readonly stagingTables = new Map<string, FakeRow[]>();
  failure: InjectedFailure | undefined;
  calls = 0;
  now_ms = Date.UTC(2030, 0, 1);
  /** Runs before each call, to simulate concurrent work. */
  beforeCall: (name: string) => void = () => {};

  async #call<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const number = ++this.calls;
    this.beforeCall(name);
    const injected = this.failure;
    if (injected?.death && number > injected.call) throw injected.error;
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

  create(table: string) {
    return this.#call('create', () => {
      if (this.stagingTables.has(table))
        throw new BifractError('QUERY_FAILED', `Table ${table} already exists`);
      this.stagingTables.set(table, []);
    });
  }

  load(table: string, fractal: string, lines: AsyncIterable<Buffer>) {
    return this.#call('load', async () => {
      const rows = this.#table(table);
      const parts: Buffer[] = [];
      for await (const part of lines) parts.push(part);
      for (const line of Buffer.concat(parts).toString().split('\n').filter(Boolean)) {
        const { ts, its, id, raw = '', raw64 = '' } = JSON.parse(line) as Record<string, string>;
        const text = raw64 === '' ? raw : Buffer.from(raw64, 'base64').toString();
        rows.push({ fractal, ts: ts as string, its: its as string, id: id as string, raw: text });
      }
    });
  }

  count(table: string) {
    return this.#call('count', () => this.#table(table).length);
  }

  partitions(table: string): Promise<StagedPartition[]> {
    return this.#call('partitions', () => {
      const rows = this.#table(table);
      return [...new Set(rows.map(partitionOf))].sort().map((id) => {
        const times = rows.filter((row) => partitionOf(row) === id).map(({ ts }) => ts);
        return { id, rows: times.length, first: min(times), last: max(times) };
      });
    });
  }

  clonePartition(from: string, to: string, partition: string) {
    return this.#call('clonePartition', () => {
      this.#table(to).push(...this.#table(from).filter((row) => partitionOf(row) === partition));
    });
  }

  insertMissing({ table, partition, fractal_id }: StagedPart, to: string) {
    return this.#call('insertMissing', () => {
      const existing = new Map<string, number>();
      for (const row of this.logs.filter(({ fractal }) => fractal === fractal_id))
        existing.set(keyOf(row), (existing.get(keyOf(row)) ?? 0) + 1);
      for (const row of this.#table(table).filter((one) => partitionOf(one) === partition.id)) {
        const left = existing.get(keyOf(row)) ?? 0;
        if (left > 0) existing.set(keyOf(row), left - 1);
        else this.#table(to).push(row);
      }
    });
  }

  attach(from: string, partition: string) {
    return this.#call('attach', () => {
      this.logs.push(...this.#table(from).filter((row) => partitionOf(row) === partition));
    });
  }

  countUntil(window: LogWindow, cutoff_ms: number) {
    return this.#call('countUntil', () => this.logs.filter(until(window, cutoff_ms)).length);
  }

  removeUntil(window: LogWindow, cutoff_ms: number) {
    return this.#call('removeUntil', () => {
      const removed = until(window, cutoff_ms);
      this.logs = this.logs.filter((row) => !removed(row));
    });
  }

  clock() {
    return this.#call('clock', () => this.now_ms);
  }

  tables(prefix: string) {
    return this.#call('tables', () =>
      [...this.stagingTables.keys()].filter((name) => name.startsWith(prefix)),
    );
  }

  drop(table: string) {
    return this.#call('drop', () => void this.stagingTables.delete(table));
  }

  async freeBytes() {
    return null;
  }

  stats(window: LogWindow): Promise<LogStats> {
    return this.#call('stats', () => {
      const times = this.logs.filter(inWindow(window)).map(({ ts }) => ts);
      return {
        rows: times.length,
        first: times.length ? min(times) : null,
        last: times.length ? max(times) : null,
      };
    });
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

function keyOf({ ts, its, id, raw }: FakeRow): string {
  return [new Date(ts).toISOString(), id, raw, new Date(its).toISOString()].join(' ');
}

function partitionOf({ ts }: FakeRow): string {
  return ts.slice(0, 7).replace('-', '');
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
