import { BifractError } from '../../src/core/contract/errors.ts';
import type { JobEventMap, JobEventName } from '../../src/core/contract/events.ts';
import type { JobContext } from '../../src/core/job/context.ts';
import type {
  AdoptedArchive,
  ArchiveGroup,
  ArchiveRecord,
  ArchiveResult,
  ArchiveSchedule,
  Catalog,
  Fractal,
  NewArchive,
  RestoreOutcome,
  ServerArchive,
} from '../../src/core/ports/catalog.ts';
import type {
  Database,
  DatabaseProperties,
  DumpOptions,
  DumpTool,
  TableCount,
} from '../../src/core/ports/database.ts';
import type { LogsShape, RecordsShape } from '../../src/core/ports/installation-shape.ts';
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
import {
  CHECKS_KEPT,
  type FileCheck,
  type JobRecord,
  type KnownFolder,
  type Leftover,
  type LockOptions,
  type State,
} from '../../src/core/ports/state.ts';
import type { CallOptions } from '../../src/core/ports/types.ts';
import { countRows } from './count-rows.ts';

import { fakeDump } from './fake-dump.ts';

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

/** Shape of the first release. */
export const RECORDS_SHAPE: RecordsShape = {
  archives: 'server',
  fractal_columns: new Set(['id', 'name', 'archive_schedule', 'max_archives', 'archive_split']),
  iceberg: false,
  console_version: null,
};
export const LOGS_SHAPE: LogsShape = {
  columns: [
    ['timestamp', 'DateTime64(3)'],
    ['raw_log', 'String'],
    ['log_id', 'String'],
    ['fields', 'JSON(max_dynamic_paths=1024)'],
    ['fractal_id', 'LowCardinality(String)'],
    ['ingest_timestamp', 'DateTime64(3)'],
  ].map(([name = '', type = '']) => ({ name, type, default_kind: '', default_expression: '' })),
  partition_key: 'toYYYYMM(timestamp)',
  sorting_key: 'fractal_id, timestamp, log_id',
  primary_key: 'fractal_id, timestamp, log_id',
  storage_policy: 'default',
  engine: 'MergeTree',
  raw_from: 'logs',
  views: [],
};

/** A catalog in memory. Passes `test/contracts/catalog.ts`, and can be made to fail. */
export class FakeCatalog implements Catalog {
  readonly all: Fractal[] = [fractal()];
  readonly allGroups: ArchiveGroup[] = [];
  readonly records = new Map<string, ArchiveRecord>();
  readonly progress: { log_count: number; size_bytes: number }[] = [];
  /** Starts and ends of restores, in order. */
  readonly restores: string[] = [];
  /** Errors for the next calls of `completeArchive`, `deleteArchive` and `moveArchive`. */
  readonly failures: BifractError[] = [];
  token: string | null = 'token';
  ownArchive: ServerArchive | null = null;
  /** Who keeps the records. */
  keeper: RecordsShape['archives'] = 'server';
  #created = 0;

  async serverVersion() {
    return '16.0';
  }
  async shape() {
    return { ...RECORDS_SHAPE, archives: this.keeper };
  }
  async setSchedule(fractal_id: string, schedule: ArchiveSchedule) {
    const found = this.all.find(({ id }) => id === fractal_id);
    if (!found) throw new BifractError('NOT_FOUND', `Fractal ${fractal_id} does not exist`);
    Object.assign(found, schedule);
  }
  async copyRecords() {}
  async serverArchive() {
    return this.ownArchive;
  }
  async fractals() {
    return this.all.toSorted((a, b) => compareText(a.name, b.name)).map((one) => ({ ...one }));
  }
  async groups({ fractal_id }: { fractal_id?: string } = {}) {
    const found = this.allGroups.filter((one) => !fractal_id || one.fractal_id === fractal_id);
    return newestFirst(found).map((one) => ({ ...one }));
  }
  async archives(filter: { fractal_id?: string; ids?: string[] } = {}) {
    const found = [...this.records.values()].filter(
      ({ id, fractal_id }) =>
        (filter.ids?.includes(id) ?? true) && (!filter.fractal_id || fractal_id === filter.fractal_id),
    );
    return newestFirst(found);
  }
  async ingestToken() {
    return this.token;
  }

  async openArchive(archive: NewArchive) {
    const fractal_name = this.#fractalName(archive.fractal_id);
    this.#requireIdle(archive.fractal_id);
    const { id: wanted, split = 'none', archive_count = 1, ...record } = archive;
    const created_at = this.#nextTime();
    const id = wanted ?? `archive-${this.#created}`;
    const group_id = archive.group_id ?? `group-${id}`;
    if (archive.group_id === undefined)
      this.allGroups.push({ ...newGroup(group_id, archive, split, archive_count), created_at });
    else this.#resumeGroup(group_id);
    this.records.set(id, {
      ...record,
      id,
      fractal_name,
      size_bytes: 0,
      log_count: 0,
      time_range_start: null,
      time_range_end: null,
      status: 'in_progress',
      error_message: null,
      created_by: null,
      created_at,
      format_version: 1,
      checksum: null,
      group_id,
      period_label: archive.period_label ?? null,
    });
    return { group_id, archive_id: id };
  }
  async reopenArchive(id: string) {
    const { status, fractal_id, group_id } = this.#record(id);
    if (status !== 'failed') throw busy(`The status of the archive is ${status}`);
    this.#requireIdle(fractal_id);
    this.#set(id, { status: 'in_progress', error_message: null, size_bytes: 0, log_count: 0 });
    this.#resumeGroup(group_id);
  }
  async updateProgress(id: string, progress: { log_count: number; size_bytes: number }) {
    this.progress.push(progress);
    const record = this.records.get(id);
    if (record?.status === 'in_progress') this.#set(id, progress);
    if (record?.status !== 'failed') return;
    if (this.#activeOf(record.fractal_id)) return this.#set(id, progress);
    this.#set(id, { ...progress, status: 'in_progress', error_message: null });
    this.#resumeGroup(record.group_id);
  }
  async completeArchive(id: string, result: ArchiveResult) {
    this.#failIfAsked();
    const { group_id } = this.#record(id);
    this.#set(id, { ...result, status: 'completed', error_message: null });
    this.#updateTotals(group_id);
  }
  async failArchive(id: string, error_message: string) {
    const { checksum, group_id } = this.#record(id);
    const counts = checksum === null ? { size_bytes: 0, log_count: 0 } : {};
    this.#set(id, { ...counts, status: 'failed', error_message });
    this.#updateTotals(group_id);
  }
  async closeGroup(id: string, { missing, message }: { missing: number | null; message: string | null }) {
    const group = this.allGroups.find((one) => one.id === id);
    if (!group) return;
    const members = this.#members(id).length;
    group.archive_count = missing === null ? Math.max(members, group.archive_count) : members + missing;
    if (group.archive_count === 0) return this.#removeGroup(id);
    group.status = 'failed';
    this.#updateTotals(id);
    if ((group.status as string) !== 'completed') group.error_message ??= message;
  }

  async adoptArchive({ split, fractal_name: named, ...archive }: AdoptedArchive) {
    const known = this.keeper === 'server' || this.all.some(({ id }) => id === archive.fractal_id);
    const fractal_name = known ? this.#fractalName(archive.fractal_id) : (named ?? archive.fractal_id);
    if ([...this.records.values()].some(({ filename }) => filename === archive.filename))
      throw new BifractError('EXISTS', `${archive.filename} has a record`);
    this.#nextTime();
    const id = `archive-${this.#created}`;
    const group_id = `group-${id}`;
    const { created_at } = archive;
    this.allGroups.push({ ...newGroup(group_id, archive, split, 1), created_at });
    this.records.set(id, {
      ...archive,
      id,
      fractal_name,
      status: 'completed',
      error_message: null,
      created_by: null,
      format_version: 1,
      group_id,
    });
    this.#updateTotals(group_id);
    return { group_id, archive_id: id };
  }
  async createFractal({ id, name }: { id: string; name: string }) {
    if (this.all.some((one) => one.id === id || one.name === name))
      throw new BifractError('EXISTS', `A fractal ${name} exists`);
    this.all.push(fractal({ id, name }));
  }

  async dropArchive(id: string) {
    this.#remove(id);
  }
  async deleteArchive(id: string, removeFile: () => Promise<void>) {
    const record = this.records.get(id);
    if (!record) return false;
    if (isActive(record)) throw busy(`The archive is ${record.status}`);
    await removeFile();
    this.#failIfAsked();
    this.#remove(id);
    return true;
  }
  async deleteGroup(id: string) {
    if (!this.allGroups.some((group) => group.id === id)) return false;
    if (this.#members(id).length > 0) throw busy('The group has archives');
    this.#removeGroup(id);
    return true;
  }
  async moveArchive(id: string, location: { storage_type: 'disk' | 's3'; storage_path: string }) {
    this.#failIfAsked();
    const { status } = this.#record(id);
    if (status !== 'completed') throw busy(`The status of the archive is ${status}`);
    this.#set(id, location);
  }

  async beginRestore(id: string, before?: RestoreOutcome) {
    const { status, fractal_id } = this.#record(id);
    this.#requireIdle(fractal_id, before?.archive_id);
    const startsOver = id === before?.archive_id && status === 'restoring';
    if (status !== 'completed' && !startsOver) throw busy(`The status of the archive is ${status}`);
    if (before) await this.endRestore(before);
    this.restores.push(`begin ${id}`);
    this.#set(id, { status: 'restoring' });
  }
  async updateRestore(id: string) {
    const record = this.records.get(id);
    if (record?.status === 'completed' && !this.#activeOf(record.fractal_id))
      this.#set(id, { status: 'restoring' });
  }
  async endRestore({ archive_id, lines, error }: RestoreOutcome) {
    this.restores.push(`end ${archive_id} ${lines} ${error}`);
    if (this.records.get(archive_id)?.status === 'restoring') this.#set(archive_id, { status: 'completed' });
  }
  async close() {}

  #failIfAsked(): void {
    const failure = this.failures.shift();
    if (failure) throw failure;
  }

  #fractalName(id: string): string {
    const found = this.all.find((one) => one.id === id);
    if (!found) throw new BifractError('NOT_FOUND', `No fractal ${id}`);
    return found.name;
  }

  #activeOf(fractal_id: string, except?: string): ArchiveRecord | undefined {
    return [...this.records.values()].find(
      (one) => one.fractal_id === fractal_id && one.id !== except && isActive(one),
    );
  }

  #requireIdle(fractal_id: string, except?: string): void {
    const active = this.#activeOf(fractal_id, except);
    if (active) throw busy(`Fractal ${active.fractal_name} is busy: ${active.filename} is ${active.status}`);
  }

  #record(id: string): ArchiveRecord {
    const record = this.records.get(id);
    if (!record) throw new BifractError('NOT_FOUND', `No record ${id}`);
    return record;
  }

  #set(id: string, values: Partial<ArchiveRecord>): void {
    this.records.set(id, { ...this.#record(id), ...values });
  }

  #members(group_id: string): ArchiveRecord[] {
    return [...this.records.values()].filter((one) => one.group_id === group_id);
  }

  #resumeGroup(id: string | null): void {
    const group = this.allGroups.find((one) => one.id === id);
    if (group && group.status !== 'in_progress')
      Object.assign(group, { status: 'in_progress', error_message: null });
  }

  #updateTotals(id: string | null): void {
    const group = this.allGroups.find((one) => one.id === id);
    if (!group) return;
    const members = this.#members(group.id);
    const done = members.filter(({ status }) => status === 'completed' || status === 'restoring');
    const failed = members.filter(({ status }) => status === 'failed');
    const missing = group.status === 'in_progress' && done.length + failed.length < group.archive_count;
    Object.assign(group, {
      total_log_count: done.reduce((sum, { log_count }) => sum + log_count, 0),
      total_size_bytes: done.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
      completed_count: done.length,
      error_message:
        failed
          .map(({ error_message }) => error_message)
          .sort()
          .at(-1) ?? null,
      status: statusOf({
        group,
        done,
        failed,
        active: missing || done.length + failed.length < members.length,
      }),
    });
  }

  #remove(id: string): void {
    const record = this.records.get(id);
    if (!record) return;
    this.records.delete(id);
    const group = this.allGroups.find((one) => one.id === record.group_id);
    if (!group) return;
    group.archive_count--;
    if (this.#members(group.id).length === 0) this.#removeGroup(group.id);
    else this.#updateTotals(group.id);
  }

  #removeGroup(id: string): void {
    const at = this.allGroups.findIndex((group) => group.id === id);
    if (at >= 0) this.allGroups.splice(at, 1);
  }

  /** A second after the previous one, so that the order of records is certain. */
  #nextTime(): string {
    return new Date(Date.UTC(2026, 2, 1, 0, 0, this.#created++)).toISOString().replace('.000Z', 'Z');
  }
}

function statusOf({
  group,
  done,
  failed,
  active,
}: {
  group: ArchiveGroup;
  done: unknown[];
  failed: unknown[];
  active: boolean;
}): ArchiveGroup['status'] {
  if (active) return 'in_progress';
  if (failed.length === 0 && done.length >= group.archive_count) return 'completed';
  return done.length === 0 ? 'failed' : 'partial';
}

function isActive({ status }: ArchiveRecord): boolean {
  return status === 'in_progress' || status === 'restoring';
}

function newestFirst<Row extends { created_at: string }>(rows: Row[]): Row[] {
  return rows.toSorted((a, b) => compareText(b.created_at, a.created_at));
}

function compareText(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function busy(message: string): BifractError {
  return new BifractError('BUSY', message);
}

function newGroup(
  id: string,
  { fractal_id, archive_type }: Pick<NewArchive, 'fractal_id' | 'archive_type'>,
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
  /** The result of `countsByPeriod`; default: the real one. */
  periodCounts: PeriodCount[] | undefined;
  /** Error to throw after `row` rows, `times` times (default: always). */
  failAt: { row: number; error: Error; times?: number } | undefined;
  /** Seconds between rows. */
  readonly step: number;
  /** The only fractal that has rows; default: every fractal has them. */
  fractal_id: string | undefined;
  /** Calls of `lines`. */
  readonly calls: (LogWindow & { start?: RowKey; low_memory?: boolean; parallel?: number })[] = [];

  constructor(rows: number, step = 1) {
    this.rows = rows;
    this.step = step;
  }
  async version() {
    return 'fake';
  }
  async shape() {
    return LOGS_SHAPE;
  }
  async stats(window?: LogWindow, { signal }: CallOptions = {}): Promise<LogStats> {
    signal?.throwIfAborted();
    const count = this.counts.length > 1 ? this.counts.shift() : this.counts[0];
    const rows = this.#rowsIn(window);
    if ((count ?? rows.length) === 0) return { rows: 0, first: null, last: null };
    const [first, last] = [rows[0] ?? 0, rows.at(-1) ?? this.rows - 1];
    return { rows: count ?? rows.length, first: timeOf(first, this.step), last: timeOf(last, this.step) };
  }
  async periods(
    window: LogWindow,
    { length_ms, shift_ms }: PeriodGrid,
    { signal }: CallOptions = {},
  ): Promise<PeriodStats[]> {
    signal?.throwIfAborted();
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
  async statsByFractal(options?: CallOptions) {
    return new Map([[FRACTAL_ID, await this.stats(undefined, options)]]);
  }
  async countsByPeriod(query: CountQuery, { signal }: CallOptions = {}): Promise<PeriodCount[]> {
    signal?.throwIfAborted();
    const times = this.#rowsIn(query).map((row) => Date.parse(timeOf(row, this.step)));
    return (
      this.periodCounts ??
      countRows(
        times.map((time) => ({ time, ingested: time })),
        query,
      )
    );
  }
  async *lines(window: LogWindow, options: LineOptions): AsyncIterable<LineBlock> {
    const { start, low_memory, parallel } = options;
    this.calls.push({ ...window, start, low_memory, parallel });
    for (const row of this.#rowsIn(window)) {
      options.signal?.throwIfAborted();
      if (options.start && isBefore(row, this.step, options.start)) continue;
      if (this.failAt?.row === row && (this.failAt.times ?? 1) > 0) {
        if (this.failAt.times !== undefined) this.failAt.times--;
        throw this.failAt.error;
      }
      const bytes = Buffer.from(`${lineOf(row, this.step, options)}\n`);
      yield { bytes, lines: 1 };
      // The source reuses the memory.
      bytes.fill('?');
    }
  }
  #rowsIn({ fractal_id, from, to }: Partial<LogWindow> = {}): number[] {
    if (fractal_id && this.fractal_id && fractal_id !== this.fractal_id) return [];
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

function isBefore(row: number, step: number, { ms, id }: RowKey): boolean {
  const earlier = Number(ms) - Date.parse(timeOf(row, step));
  return earlier > 0 || (earlier === 0 && `id-${row}` < Buffer.from(id, 'hex').toString());
}

/** The line of a row. */
export function lineOf(row: number, step = 1, { fields = true } = {}): string {
  const ts = timeOf(row, step);
  return JSON.stringify({
    ts,
    raw: `line ${row}`,
    id: `id-${row}`,
    fid: FRACTAL_ID,
    its: ts,
    ...(fields && { fields: { n: row } }),
  });
}

/** Of a database with PostgreSQL's defaults. */
export const FAKE_PROPERTIES: DatabaseProperties = {
  encoding: 'UTF8',
  locale_provider: 'libc',
  collate: 'C.UTF-8',
  ctype: 'C.UTF-8',
  locale: null,
  icu_rules: null,
  tablespace: 'pg_default',
  owner: 'bifract',
  connection_limit: -1,
  comment: null,
  settings: [],
  privileges: null,
};

export class FakeDatabase implements Database {
  open = 0;
  large_objects = 0;
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
      properties: FAKE_PROPERTIES,
      extensions: [],
      large_objects: this.large_objects,
      tables: async () => this.#tables,
      close: async () => {
        this.open--;
      },
    };
  }
}

export class FakeDumpTool implements DumpTool {
  readonly location = 'fake';
  content: Buffer[] = [fakeDump([{ schema: 'public', name: 'users', rows: 3 }])];
  /** The dump that has no data. */
  definitions: Buffer = fakeDump([]);
  error: Error | undefined;
  snapshots: (string | undefined)[] = [];

  async version() {
    return '16.1';
  }
  async *dump({ snapshot, only_definitions, onTable }: DumpOptions) {
    if (only_definitions) {
      yield this.definitions;
      return;
    }
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
  noted: Leftover[] = [];
  checked: FileCheck[] = [];
  known: KnownFolder[] = [];
  readonly #recovering = new FakeLock();
  readonly #changing = new FakeLock();

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
  async leftovers() {
    return structuredClone(this.noted);
  }
  async saveLeftovers(leftovers: readonly Leftover[]) {
    this.noted = structuredClone([...leftovers]);
  }
  async checks() {
    return structuredClone(this.checked);
  }
  async addChecks(checks: readonly FileCheck[]) {
    for (const check of checks) {
      this.checked = this.checked.filter(({ kind, path }) => kind !== check.kind || path !== check.path);
      this.checked.push(structuredClone(check));
    }
    this.checked = this.checked.slice(-CHECKS_KEPT);
  }
  async folders() {
    return structuredClone(this.known);
  }
  async changeFolders(change: (known: KnownFolder[]) => KnownFolder[]) {
    this.known = structuredClone(change(structuredClone(this.known)));
  }
  exclusive<T>(work: () => Promise<T>, options: CallOptions = {}): Promise<T> {
    return this.#recovering.run(undefined, work, options);
  }
  locked<T>(job: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
    return this.#changing.run(job, work, options);
  }

  /** Ends the process of all saved records. */
  crash() {
    this.interruptedRecords.push(...this.records.values());
    this.records.clear();
  }
}

/** A lock between jobs of this process. */
class FakeLock {
  #last: Promise<unknown> = Promise.resolve();
  #holder: { job: string | undefined } | undefined;

  async run<T>(
    job: string | undefined,
    work: () => Promise<T>,
    { signal, limit_ms, onWait }: LockOptions,
  ): Promise<T> {
    const before = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = before.then(() => done.promise);
    if (this.#holder) onWait?.(this.#holder.job);
    const stopped = Promise.withResolvers<never>();
    const limit =
      limit_ms === undefined ? undefined : setTimeout(() => stopped.reject(busy('locked')), limit_ms);
    signal?.addEventListener('abort', () => stopped.reject(signal.reason), { once: true });
    try {
      signal?.throwIfAborted();
      await Promise.race([before, stopped.promise]);
      clearTimeout(limit);
      this.#holder = { job };
      return await work().finally(() => {
        this.#holder = undefined;
      });
    } finally {
      clearTimeout(limit);
      done.resolve();
    }
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
