import { BifractError } from '../../src/core/errors.ts';
import type { LogDatabase, LogStats, LogWindow } from '../../src/core/ports/log-database.ts';
import type { LogRestore, StagedPart, StagedPartition } from '../../src/core/ports/log-restore.ts';

/** A row as the fake keeps it. */
export interface FakeRow {
  fractal: string;
  ts: string;
  its: string;
  id: string;
  raw: string;
}

/** What is done to the call of that number: it fails before it does something, or when it has done it. */
export interface Blow {
  call: number;
  when: 'before' | 'after';
  /** What it fails with; thrown by all later calls too where it is a death. */
  error: Error;
  death: boolean;
}

/** The log database in memory: its table, tables beside it, and blows to calls of it. */
export class FakeLogRestore implements LogRestore, Pick<LogDatabase, 'stats'> {
  logs: FakeRow[] = [];
  readonly beside = new Map<string, FakeRow[]>();
  blow: Blow | undefined;
  calls = 0;
  now_ms = Date.UTC(2030, 0, 1);
  /** Called before each call, as others would be at work meanwhile. */
  meanwhile: (name: string) => void = () => {};

  async #call<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const number = ++this.calls;
    this.meanwhile(name);
    const { blow } = this;
    if (blow?.death && number > blow.call) throw blow.error;
    if (blow?.call === number && blow.when === 'before') throw blow.error;
    const done = await work();
    if (blow?.call === number && blow.when === 'after') throw blow.error;
    return done;
  }

  #table(name: string): FakeRow[] {
    const table = this.beside.get(name);
    if (!table) throw new BifractError('QUERY_FAILED', `There is no table ${name}`);
    return table;
  }

  create(table: string) {
    return this.#call('create', () => {
      if (this.beside.has(table)) throw new BifractError('QUERY_FAILED', `There is a table ${table}`);
      this.beside.set(table, []);
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
        const held = rows.filter((row) => partitionOf(row) === id).map(({ ts }) => ts);
        return { id, rows: held.length, first: min(held), last: max(held) };
      });
    });
  }

  share(from: string, to: string, partition: string) {
    return this.#call('share', () => {
      this.#table(to).push(...this.#table(from).filter((row) => partitionOf(row) === partition));
    });
  }

  difference({ table, partition, fractal_id }: StagedPart, to: string) {
    return this.#call('difference', () => {
      const there = new Map<string, number>();
      for (const row of this.logs.filter(({ fractal }) => fractal === fractal_id))
        there.set(keyOf(row), (there.get(keyOf(row)) ?? 0) + 1);
      for (const row of this.#table(table).filter((one) => partitionOf(one) === partition.id)) {
        const left = there.get(keyOf(row)) ?? 0;
        if (left > 0) there.set(keyOf(row), left - 1);
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
      const goes = until(window, cutoff_ms);
      this.logs = this.logs.filter((row) => !goes(row));
    });
  }

  clock() {
    return this.#call('clock', () => this.now_ms);
  }

  tables(prefix: string) {
    return this.#call('tables', () => [...this.beside.keys()].filter((name) => name.startsWith(prefix)));
  }

  drop(table: string) {
    return this.#call('drop', () => void this.beside.delete(table));
  }

  async freeBytes() {
    return null;
  }

  stats(window: LogWindow): Promise<LogStats> {
    return this.#call('stats', () => {
      const held = this.logs.filter(inWindow(window)).map(({ ts }) => ts);
      return {
        rows: held.length,
        first: held.length ? min(held) : null,
        last: held.length ? max(held) : null,
      };
    });
  }

  async close() {}
}

/** What a fractal holds, a line a row, sorted. */
export function heldBy(rows: FakeRow[], fractal: string): string[] {
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
  const within = inWindow(window);
  return (row: FakeRow) => within(row) && Date.parse(row.its) <= cutoff_ms;
}

const min = (values: string[]) => [...values].sort()[0] as string;
const max = (values: string[]) => [...values].sort().at(-1) as string;
