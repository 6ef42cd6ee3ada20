import { BifractError } from '../../src/core/contract/errors.ts';
import type { JobEventMap, JobEventName } from '../../src/core/contract/events.ts';
import type { JobContext } from '../../src/core/job/context.ts';
import type {
  AdoptedArchive,
  ArchiveGroup,
  ArchiveRecord,
  ArchiveResult,
  Catalog,
  Fractal,
  NewArchive,
  RestoreOutcome,
} from '../../src/core/ports/catalog.ts';
import type { Database, DumpTool, TableCount } from '../../src/core/ports/database.ts';
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
  RowKey,
} from '../../src/core/ports/log-database.ts';
import type { JobRecord, State } from '../../src/core/ports/state.ts';
import type { CallOptions } from '../../src/core/ports/types.ts';

export const FRACTAL_ID = '11111111-2222-4333-8444-555555555555';

/** A fractal with defaults; `values` overrides. */
export function fractal(values: Partial<Fractal> = {}): Fractal {
  return {
    id: FRACTAL_ID,
    name: 'web-prod',
    description: null,
    is_default: false,
    is_system: false,
    created_at: '2026-01-01T00:00:00Z',
    log_count: 0,
    size_bytes: 0,
    earliest_log: null,
    latest_log: null,
    retention_days: null,
    archive_schedule: 'never',
    max_archives: null,
    archive_split: 'none',
    ...values,
  };
}

/** A catalog in memory. Enforces one active operation per fractal. */
export class FakeCatalog implements Catalog {
  readonly all: Fractal[] = [fractal()];
  readonly allGroups: ArchiveGroup[] = [];
  readonly records = new Map<string, ArchiveRecord>();
  readonly progress: { log_count: number; size_bytes: number }[] = [];
  /** Errors for the next calls of `completeArchive`, `deleteArchive` and `moveArchive`. */
  readonly failures: BifractError[] = [];

  async serverVersion() {
    return 'PostgreSQL 16.0 (fake)';
  }
  async fractals() {
    return this.all;
  }
  async groups() {
    return this.allGroups;
  }
  async archives(filter: { fractal_id?: string; ids?: string[] } = {}) {
    return [...this.records.values()].filter(
      ({ id, fractal_id }) =>
        (filter.ids?.includes(id) ?? true) && (!filter.fractal_id || fractal_id === filter.fractal_id),
    );
  }
  async openArchive(archive: NewArchive) {
    if (
      [...this.records.values()].some(
        ({ status, fractal_id }) => status === 'in_progress' && fractal_id === archive.fractal_id,
      )
    ) {
      throw new BifractError('BUSY', 'web-prod is already being archived');
    }
    const { id: wanted, split = 'none', archive_count = 1, ...record } = archive;
    const id = wanted ?? `archive-${this.records.size + 1}`;
    const group_id = archive.group_id ?? `group-${id}`;
    if (archive.group_id === undefined)
      this.allGroups.push(newGroup(group_id, archive, split, archive_count));
    this.records.set(id, {
      ...record,
      id,
      fractal_name: 'web-prod',
      size_bytes: 0,
      log_count: 0,
      time_range_start: null,
      time_range_end: null,
      status: 'in_progress',
      error_message: null,
      created_by: null,
      created_at: '2026-03-01T00:00:00Z',
      format_version: 1,
      checksum: null,
      group_id,
      period_label: archive.period_label ?? null,
    });
    return { group_id, archive_id: id };
  }
  async reopenArchive(id: string) {
    this.#set(id, { status: 'in_progress', error_message: null });
  }
  async closeGroup(id: string, { missing, message }: { missing: number | null; message: string | null }) {
    const group = this.allGroups.find((one) => one.id === id);
    const members = [...this.records.values()].filter(({ group_id }) => group_id === id);
    const done = members.filter(({ status }) => status === 'completed');
    if (!group) throw new Error(`No group ${id}`);
    group.archive_count =
      missing === null ? Math.max(members.length, group.archive_count) : members.length + missing;
    group.completed_count = done.length;
    group.total_log_count = done.reduce((sum, { log_count }) => sum + log_count, 0);
    group.status =
      done.length === group.archive_count ? 'completed' : done.length === 0 ? 'failed' : 'partial';
    group.error_message = members.find(({ status }) => status === 'failed')?.error_message ?? message;
  }
  async updateProgress(_id: string, progress: { log_count: number; size_bytes: number }) {
    this.progress.push(progress);
  }
  async completeArchive(id: string, result: ArchiveResult) {
    const failure = this.failures.shift();
    if (failure) throw failure;
    this.#set(id, { ...result, status: 'completed', error_message: null });
  }
  async failArchive(id: string, error_message: string) {
    this.#set(id, { status: 'failed', error_message });
  }
  async adoptArchive({ split: _, ...archive }: AdoptedArchive) {
    if (!this.all.some(({ id }) => id === archive.fractal_id)) {
      throw new BifractError('NOT_FOUND', `No fractal ${archive.fractal_id}`);
    }
    const id = `archive-${this.records.size + 1}`;
    this.records.set(id, {
      ...archive,
      id,
      fractal_name: 'web-prod',
      status: 'completed',
      error_message: null,
      created_by: null,
      format_version: 1,
      group_id: `group-${id}`,
    });
    return { group_id: `group-${id}`, archive_id: id };
  }
  async createFractal({ id, name }: { id: string; name: string }) {
    this.all.push(fractal({ id, name }));
  }
  async dropArchive(id: string) {
    this.records.delete(id);
  }
  async deleteArchive(id: string, removeFile: () => Promise<void>) {
    const record = this.records.get(id);
    if (!record) return false;
    if (record.status === 'in_progress' || record.status === 'restoring') {
      throw new BifractError('BUSY', `The archive is ${record.status}`);
    }
    await removeFile();
    const failure = this.failures.shift();
    if (failure) throw failure;
    return this.records.delete(id);
  }
  async deleteGroup(id: string) {
    const at = this.allGroups.findIndex((group) => group.id === id);
    if (at >= 0) this.allGroups.splice(at, 1);
    return at >= 0;
  }
  token: string | null = 'token';
  async ingestToken() {
    return this.token;
  }
  /** Starts and ends of restores, in order. */
  readonly restores: string[] = [];
  async beginRestore(id: string, before?: RestoreOutcome) {
    const fractal_id = this.records.get(id)?.fractal_id;
    const active = [...this.records.values()].some(
      (one) =>
        one.fractal_id === fractal_id &&
        one.id !== before?.archive_id &&
        ['in_progress', 'restoring'].includes(one.status),
    );
    if (active || this.records.get(id)?.status !== 'completed')
      throw new BifractError('BUSY', 'web-prod is busy');
    if (before) await this.endRestore(before);
    this.restores.push(`begin ${id}`);
    this.#set(id, { status: 'restoring' });
  }
  async updateRestore() {}
  async endRestore({ archive_id, lines, error }: RestoreOutcome) {
    this.restores.push(`end ${archive_id} ${lines} ${error}`);
    if (this.records.get(archive_id)?.status === 'restoring') this.#set(archive_id, { status: 'completed' });
  }
  async moveArchive(id: string, place: { storage_type: 'disk' | 's3'; storage_path: string }) {
    const failure = this.failures.shift();
    if (failure) throw failure;
    this.#set(id, place);
  }
  async close() {}

  #set(id: string, values: Partial<ArchiveRecord>) {
    const record = this.records.get(id);
    if (!record) throw new Error(`No record ${id}`);
    this.records.set(id, { ...record, ...values });
  }
}

function newGroup(
  id: string,
  { fractal_id, archive_type }: NewArchive,
  split_granularity: string,
  archive_count: number,
): ArchiveGroup {
  return {
    id,
    fractal_id,
    split_granularity,
    status: 'in_progress',
    error_message: null,
    total_log_count: 0,
    total_size_bytes: 0,
    archive_count,
    completed_count: 0,
    archive_type,
    created_by: null,
    created_at: '2026-03-01T00:00:00Z',
  };
}

/** A log database of generated rows, `step` seconds apart. Its counts can be overridden. */
export class FakeLogs implements LogDatabase {
  readonly rows: number;
  /** Row counts for `stats`, one per call, the last one repeated; if empty, the real count. */
  counts: number[] = [];
  /** The result of `countsByPeriod`. */
  periodCounts: PeriodCount[] = [];
  /** Error to throw after `row` rows, `times` times (default: always). */
  failAt: { row: number; error: Error; times?: number } | undefined;
  /** Seconds between rows. */
  readonly step: number;
  /** Calls of `lines`. */
  readonly calls: (LogWindow & { start?: RowKey; frugal?: boolean })[] = [];

  constructor(rows: number, step = 1) {
    this.rows = rows;
    this.step = step;
  }
  async version() {
    return 'fake';
  }
  async stats(window?: LogWindow): Promise<LogStats> {
    const count = this.counts.length > 1 ? this.counts.shift() : this.counts[0];
    const rows = this.#rowsIn(window);
    if ((count ?? rows.length) === 0) return { rows: 0, first: null, last: null };
    const [first, last] = [rows[0] ?? 0, rows.at(-1) ?? this.rows - 1];
    return { rows: count ?? rows.length, first: timeOf(first, this.step), last: timeOf(last, this.step) };
  }
  async periods(window: LogWindow, { length_ms, shift_ms }: PeriodGrid): Promise<PeriodStats[]> {
    const start = (row: number) => {
      const time = Date.parse(timeOf(row, this.step)) + shift_ms;
      return new Date(time - (time % length_ms) - shift_ms).toISOString();
    };
    return [...Map.groupBy(this.#rowsIn(window), start)].map(([from, rows]) => ({
      start: from,
      rows: rows.length,
      first: timeOf(rows[0] ?? 0, this.step),
      last: timeOf(rows.at(-1) ?? 0, this.step),
    }));
  }
  async statsByFractal() {
    return new Map([[FRACTAL_ID, await this.stats()]]);
  }
  async countsByPeriod(_: CountQuery): Promise<PeriodCount[]> {
    return this.periodCounts;
  }
  async *lines(window: LogWindow, options: LineOptions): AsyncIterable<LineBlock> {
    this.calls.push({ ...window, start: options.start, frugal: options.low_memory });
    for (const row of this.#rowsIn(window)) {
      const time = Date.parse(timeOf(row, this.step));
      if (options.start && time < Number(options.start.ms)) continue;
      if (this.failAt?.row === row && (this.failAt.times ?? 1) > 0) {
        if (this.failAt.times !== undefined) this.failAt.times--;
        throw this.failAt.error;
      }
      const bytes = Buffer.from(`${lineOf(row, this.step)}\n`);
      yield { bytes, lines: 1 };
      // The source reuses the memory.
      bytes.fill('?');
    }
  }
  #rowsIn({ from, to }: Partial<LogWindow> = {}): number[] {
    const all = Array.from({ length: this.rows }, (_, row) => row);
    return all.filter((row) => {
      const time = Date.parse(timeOf(row, this.step));
      return !(from && time < Date.parse(from)) && !(to && time >= Date.parse(to));
    });
  }
  async close() {}
}

function timeOf(row: number, step = 1): string {
  return new Date(Date.UTC(2026, 2, 1) + row * step * 1000).toISOString();
}

/** The line of a row. */
export function lineOf(row: number, step = 1): string {
  const ts = timeOf(row, step);
  return JSON.stringify({
    ts,
    raw: `line ${row}`,
    id: `id-${row}`,
    fid: FRACTAL_ID,
    its: ts,
    fields: { n: row },
  });
}

export class FakeDatabase implements Database {
  open = 0;
  readonly #tables: TableCount[];

  constructor(tables: TableCount[]) {
    this.#tables = tables;
  }
  async snapshot() {
    this.open++;
    return {
      id: '00000003-1',
      database: 'bifract',
      server_version: '16.0',
      size_bytes: 1000,
      tables: async () => this.#tables,
      close: async () => {
        this.open--;
      },
    };
  }
}

export class FakeDumpTool implements DumpTool {
  readonly location = 'fake';
  content: Buffer[] = [Buffer.from('PGDMP dump')];
  error: Error | undefined;
  snapshots: (string | undefined)[] = [];

  async version() {
    return '16.1';
  }
  async *dump({ snapshot, onTable }: { snapshot?: string; onTable?: (table: string) => void }) {
    this.snapshots.push(snapshot);
    onTable?.('public.users');
    yield* this.content;
    if (this.error) throw this.error;
  }
}

/** Job records in memory. Tests may set the records directly. */
export class FakeState implements State {
  readonly records = new Map<string, JobRecord>();
  interruptedRecords: JobRecord[] = [];
  #last: Promise<unknown> = Promise.resolve();

  async save(record: JobRecord) {
    await this.remove(record.id);
    this.records.set(record.id, structuredClone(record));
  }
  async saveInterrupted(record: JobRecord) {
    await this.remove(record.id);
    this.interruptedRecords.push(structuredClone(record));
  }
  async remove(id: string) {
    this.records.delete(id);
    this.interruptedRecords = this.interruptedRecords.filter((record) => record.id !== id);
  }
  async cleanUp() {}
  async running() {
    return [...this.records.values()].sort(byStart);
  }
  async interrupted() {
    return this.interruptedRecords.toSorted(byStart);
  }
  async exclusive<T>(work: () => Promise<T>, { signal }: CallOptions = {}) {
    const before = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = before.then(() => done.promise);
    try {
      const aborted = Promise.withResolvers<never>();
      signal?.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
      await Promise.race([before, aborted.promise]);
      return await work();
    } finally {
      done.resolve();
    }
  }

  /** Ends the process of all saved records. */
  crash() {
    this.interruptedRecords.push(...this.records.values());
    this.records.clear();
  }
}

function byStart(one: JobRecord, other: JobRecord): number {
  return one.started_at < other.started_at ? -1 : Number(one.started_at > other.started_at);
}

type Emitted = { [Name in JobEventName]: { event: Name } & JobEventMap[Name] }[JobEventName];

/** A job context that records events. */
export function jobContext(signal = new AbortController().signal): JobContext & { events: Emitted[] } {
  const events: Emitted[] = [];
  return {
    id: 'job-1',
    signal,
    events,
    emit: (event, payload) => {
      events.push({ event, ...payload } as Emitted);
    },
    now: () => new Date('2026-03-01T12:34:56.789Z'),
  };
}
