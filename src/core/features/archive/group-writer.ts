import { isDeepStrictEqual } from 'node:util';
import { asBifractError, type BifractError } from '../../contract/errors.ts';
import type { FileSummary } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import type { Failure } from '../../job/failures.ts';
import type { Retrier } from '../../job/retry.ts';
import { timeLimit } from '../../job/time-limit.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { UnfinishedObject } from '../../ports/storage.ts';
import { plural } from '../../text/units.ts';
import type { Connected } from './connect.ts';
import type { ArchiveChild } from './contract.ts';
import { type ArchivePlan, type ArchiveWindow, logWindow } from './plan.ts';
import { ArchiveRecords } from './records.ts';
import { discardUnfinished } from './resume.ts';
import { type ArchiveFile, type ArchiveTotals, writeArchiveFile } from './write-file.ts';

/** Errors that will also affect the next file. */
const PERSISTENT = new Set([
  'STORAGE_FULL',
  'STORAGE_DENIED',
  'STORAGE_UNREACHABLE',
  'CLICKHOUSE_UNREACHABLE',
]);

/** Writes the files of a plan. One failure does not stop the others, unless they would fail too. */
export class GroupWriter {
  readonly children: ArchiveChild[] = [];
  readonly failures: Failure[] = [];
  /** Windows not started when it ended early. */
  not_started = 0;
  /** The catalog record could not be updated: the job record must stay, so that recovery updates it. */
  #recordPending = false;
  #record: JobRecord | undefined;
  /** Partial files of an interrupted archive that have not been used yet. */
  #unfinished: UnfinishedObject[];
  readonly #connected: Connected;
  readonly #plan: ArchivePlan;
  readonly #context: JobContext;
  readonly #retrier: Retrier;
  readonly #totals: ArchiveTotals;
  readonly #records: ArchiveRecords;

  constructor(connected: Connected, plan: ArchivePlan, retrier: Retrier, context: JobContext) {
    this.#connected = connected;
    this.#plan = plan;
    this.#context = context;
    this.#retrier = retrier;
    this.#records = new ArchiveRecords(connected, plan, retrier, context);
    this.#unfinished = plan.resumed?.unfinished ?? [];
    const total_rows = plan.windows.reduce((sum, { rows }) => sum + rows, 0);
    this.#totals = { rows: 0, bytes_in: 0, bytes_out: 0, total_rows };
  }

  /** Undefined until the first record exists. */
  get group_id(): string | undefined {
    return this.#records.group_id;
  }

  /** Throws only what ended it early; `failures` has the other errors. */
  async run(): Promise<void> {
    const { windows } = this.#plan;
    let finished = false;
    try {
      for (const [index, window] of windows.entries()) {
        this.not_started = windows.length - index;
        this.#context.signal.throwIfAborted();
        this.not_started--;
        await this.#processWindow(window, index);
      }
      await this.#closeGroup(null);
      finished = true;
    } catch (error) {
      await this.#closeGroup(this.#failureReason(error).message);
      throw error;
    } finally {
      await this.#finishRecord(finished || this.#context.signal.aborted);
    }
  }

  async #processWindow(window: ArchiveWindow, index: number): Promise<void> {
    const limit = timeLimit(this.#context.signal, {
      max_ms: this.#connected.services.archive_limits.max_duration_ms,
      variable: 'BIFRACT_ARCHIVE_MAX_DURATION',
      what: 'The archive',
    });
    try {
      const child = await this.#archiveWindow(window, index, { ...this.#context, signal: limit.signal });
      if (child) this.#completed(child);
    } catch (thrown) {
      this.#failed(window, thrown);
    } finally {
      limit.release();
    }
  }

  /** Undefined if the window no longer has rows. */
  async #archiveWindow(
    planned: ArchiveWindow,
    index: number,
    context: JobContext,
  ): Promise<ArchiveChild | undefined> {
    const window = await this.#recount(planned, index, context.signal);
    if (!window) {
      this.#records.skip(planned);
      return undefined;
    }
    const file = await this.#openRecord(window, index, context.signal);
    if (index === 0) context.emit('job:phase', { phase: 'Archiving' });
    try {
      const summary = await this.#write(file, context);
      if (window.label === null) context.emit('job:phase', { phase: 'Completing the record' });
      await this.#records.complete(file, summary);
      return childOf(file, summary);
    } catch (error) {
      const reason = context.signal.aborted ? context.signal.reason : error;
      // If the job record stays, the next start completes what could not be written now.
      if (!(await this.#records.fail(file, reason))) this.#recordPending = true;
      throw reason;
    }
  }

  /** The first window was just counted; the others may have waited long. A resumed one keeps its earlier count. */
  async #recount(
    window: ArchiveWindow,
    index: number,
    signal: AbortSignal,
  ): Promise<ArchiveWindow | undefined> {
    if (index === 0 || this.#isPartlyWritten(window)) return window;
    const query = logWindow(this.#plan.fractal.id, window);
    const count = () => this.#connected.logs.stats(query, { signal });
    const { rows } = await this.#retrier.through(count, signal);
    return rows === 0 ? undefined : { ...window, rows };
  }

  /** Whether some rows of the window may already be stored. */
  #isPartlyWritten(window: ArchiveWindow): boolean {
    const path = this.#records.existing(window)?.path;
    return this.#unfinished.some(({ name }) => name === path);
  }

  async #openRecord(window: ArchiveWindow, index: number, signal: AbortSignal): Promise<ArchiveFile> {
    const name = this.#records.existing(window) ?? (await this.#records.name(window, signal));
    const file = { ...name, window };
    await this.#saveRecord(file);
    for (const id of this.#plan.resumed?.job_ids ?? []) await this.#connected.services.state.remove(id);
    try {
      await this.#records.open(name, window, index, signal);
    } catch (error) {
      // The record may exist even though the response was lost.
      if (asBifractError(error).code === 'POSTGRES_UNREACHABLE') this.#recordPending = true;
      throw error;
    }
    await this.#saveRecord(file);
    return file;
  }

  async #write(file: ArchiveFile, context: JobContext): Promise<FileSummary> {
    const unfinished = this.#unfinished.filter(({ name }) => name === file.path);
    const [longest, ...others] = unfinished;
    // Repeated interruptions leave one file each: only the longest is useful.
    await this.#discard(others);
    const resumed = { ...file, unfinished: longest };
    try {
      return await writeArchiveFile(
        this.#connected,
        this.#plan,
        resumed,
        this.#totals,
        this.#retrier,
        context,
      );
    } finally {
      if (!this.#retrier.exhausted) await this.#discard(unfinished);
    }
  }

  async #discard(unfinished: readonly UnfinishedObject[]): Promise<void> {
    this.#unfinished = this.#unfinished.filter((one) => !unfinished.includes(one));
    await discardUnfinished(this.#connected.storage, unfinished);
  }

  #completed(child: ArchiveChild): void {
    this.children.push(child);
    this.#totals.rows += child.log_count;
    this.#totals.bytes_in += child.content_bytes;
    this.#totals.bytes_out += child.size_bytes;
    if (child.period_label === null) return;
    const message = plural(child.log_count, 'row');
    this.#context.emit('job:item', { item: child.period_label, ok: true, message, details: { ...child } });
  }

  /** Continues with the next window, or throws if that is pointless. */
  #failed(window: ArchiveWindow, thrown: unknown): void {
    const error = asBifractError(thrown);
    const started = this.group_id !== undefined;
    if (this.#context.signal.aborted || !started || window.label === null) throw thrown;
    const report = error.report();
    this.failures.push({ item: window.label, error: report });
    this.#context.emit('job:item', { item: window.label, ok: false, message: error.message, error: report });
    if (this.#recordPending || this.#retrier.exhausted || PERSISTENT.has(error.code)) throw thrown;
  }

  async #closeGroup(message: string | null): Promise<void> {
    try {
      await this.#records.close(message);
    } catch (error) {
      this.#recordPending = true;
      // A second error must not hide the first.
      if (message === null) throw error;
    }
  }

  #failureReason(error: unknown): BifractError {
    return asBifractError(this.#context.signal.aborted ? this.#context.signal.reason : error);
  }

  async #saveRecord({ archive_id, path, window }: ArchiveFile): Promise<void> {
    const { request, end, begun_at } = this.#plan;
    const record: JobRecord = {
      id: this.#context.id,
      kind: 'archive',
      started_at: this.#context.now().toISOString(),
      archive_id,
      object: path,
      archive: {
        request,
        end,
        begun_at,
        window,
        leftovers: this.#unfinished.map(({ id }) => id),
        ...(this.group_id === undefined ? {} : { group_id: this.group_id }),
      },
    };
    // Skips identical records: each write costs two fsyncs, and there may be many small files.
    if (isDeepStrictEqual(record, { ...this.#record, started_at: record.started_at })) return;
    await this.#connected.services.state.save(record);
    this.#record = record;
  }

  /** Keeps partial files for a later run if retries were exhausted, or if it failed before it could use them. */
  async #finishRecord(done: boolean): Promise<void> {
    if (this.#recordPending) return;
    const { state } = this.#connected.services;
    const resumable = !done && this.#unfinished.length > 0;
    if (this.#record && (this.#retrier.exhausted || resumable)) return state.saveInterrupted(this.#record);
    // The records that listed these files were removed once this job had its own.
    if (this.#record) await discardUnfinished(this.#connected.storage, this.#unfinished);
    await state.remove(this.#context.id);
  }
}

function childOf({ archive_id, path, window }: ArchiveFile, file: FileSummary): ArchiveChild {
  return {
    archive_id,
    period_label: window.label,
    storage_path: path,
    size_bytes: file.size_bytes,
    log_count: file.rows,
    content_bytes: file.content_bytes,
    checksum: file.checksum,
    time_range_start: file.first,
    time_range_end: file.last,
  };
}
