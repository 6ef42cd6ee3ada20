import { isDeepStrictEqual } from 'node:util';
import { asBifractError, type BifractError } from '../../contract/errors.ts';
import type { FileSummary } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import type { Failure } from '../../job/failures.ts';
import type { Retrier } from '../../job/retry.ts';
import { timeLimit } from '../../job/time-limit.ts';
import type { JobRecord, State } from '../../ports/state.ts';
import type { UnfinishedObject } from '../../ports/storage.ts';
import type { ArchiveChild } from './contract.ts';
import { GroupRecords } from './group-records.ts';
import type { ArchivePlan } from './plan-types.ts';
import { closeRecord, failRecord, recordLost } from './record.ts';
import { childOf } from './summary.ts';
import { discardAll, unfinishedRows } from './unfinished.ts';
import type { ArchiveWindow } from './windows.ts';
import {
  type ArchiveFile,
  type ArchiveFileDeps,
  type ArchiveTotals,
  writeArchiveFile,
} from './write-file.ts';

export interface ArchiveGroupDeps extends ArchiveFileDeps {
  state: State;
  /** Wall-clock limit of one file, milliseconds. */
  max_duration_ms: number;
}

/** Errors that will also affect the next file. */
const PERSISTENT = new Set([
  'STORAGE_FULL',
  'STORAGE_DENIED',
  'STORAGE_UNREACHABLE',
  'CLICKHOUSE_UNREACHABLE',
]);

/** Writes the files of a plan. One failure does not stop the others, unless they would fail too. */
export class ArchiveGroup {
  readonly children: ArchiveChild[] = [];
  readonly failures: Failure[] = [];
  /** Windows not started when it ended early. */
  not_started = 0;
  /** The catalog record could not be updated: the job record must stay, so that recovery updates it. */
  #recordPending = false;
  #record: JobRecord | undefined;
  /** Partial files of an interrupted archive that have not been used yet. */
  #unfinished: UnfinishedObject[];
  readonly #deps: ArchiveGroupDeps;
  readonly #plan: ArchivePlan;
  readonly #context: JobContext;
  readonly #retrier: Retrier;
  readonly #totals: ArchiveTotals;
  readonly #records: GroupRecords;

  constructor(deps: ArchiveGroupDeps, plan: ArchivePlan, context: JobContext, retrier: Retrier) {
    this.#deps = deps;
    this.#plan = plan;
    this.#context = context;
    this.#retrier = retrier;
    this.#records = new GroupRecords(deps, plan, retrier);
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

  /** Keeps partial files for a later run if retries were exhausted, or if it failed before it could use them. */
  async #finishRecord(done: boolean): Promise<void> {
    if (this.#recordPending) return;
    const resumable = !done && this.#unfinished.length > 0;
    if (this.#record && (this.#retrier.exhausted || resumable))
      return this.#deps.state.saveInterrupted(this.#record);
    // The records that listed these files were removed once this job had its own.
    if (this.#record) await discardAll(this.#deps.storage, this.#unfinished);
    await this.#deps.state.remove(this.#context.id);
  }

  async #processWindow(window: ArchiveWindow, index: number): Promise<void> {
    const limit = timeLimit(this.#context.signal, {
      max_ms: this.#deps.max_duration_ms,
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

  #completed(child: ArchiveChild): void {
    this.children.push(child);
    this.#totals.rows += child.log_count;
    this.#totals.bytes_in += child.content_bytes;
    this.#totals.bytes_out += child.size_bytes;
    if (child.period_label === null) return;
    const message = `${child.log_count} rows`;
    this.#context.emit('job:item', { item: child.period_label, ok: true, message, details: { ...child } });
  }

  /** Continues with the next window, or throws if that is pointless. */
  #failed(window: ArchiveWindow, thrown: unknown): void {
    const error = asBifractError(thrown);
    const started = this.group_id !== undefined;
    if (this.#context.signal.aborted || !started || window.label === null) throw thrown;
    this.failures.push({ item: window.label, error: error.report() });
    const { message } = error;
    this.#context.emit('job:item', { item: window.label, ok: false, message, error: error.report() });
    if (this.#recordPending || this.#retrier.exhausted || PERSISTENT.has(error.code)) throw thrown;
  }

  /** Undefined if the window no longer has rows. */
  async #archiveWindow(
    planned: ArchiveWindow,
    index: number,
    context: JobContext,
  ): Promise<ArchiveChild | undefined> {
    const window = await this.#recount(planned, index, context);
    if (!window) {
      this.#records.skip(planned);
      return undefined;
    }
    const file = await this.#openRecord(window, index, context);
    if (index === 0) context.emit('job:phase', { phase: 'Archiving' });
    try {
      const summary = await this.#write(file, context);
      if (window.label === null) context.emit('job:phase', { phase: 'Completing the record' });
      await closeRecord(
        this.#deps.catalog,
        file.archive_id,
        { ...summary, storage_path: file.path },
        context,
      );
      return childOf(
        { archive_id: file.archive_id, period_label: window.label, storage_path: file.path },
        summary,
      );
    } catch (error) {
      // If the job record stays, the next start completes what could not be written now.
      const reason = context.signal.aborted ? context.signal.reason : error;
      if (!(await failRecord(this.#deps.catalog, file.archive_id, reason))) this.#recordPending = true;
      throw reason;
    }
  }

  /** The first window was just counted; the others may have waited long. A resumed one keeps its earlier count. */
  async #recount(
    window: ArchiveWindow,
    index: number,
    { signal }: JobContext,
  ): Promise<ArchiveWindow | undefined> {
    if (index === 0 || this.#isPartlyWritten(window)) return window;
    const { from, to } = window;
    const count = () => this.#deps.logs.stats({ fractal_id: this.#plan.fractal.id, from, to }, { signal });
    const { rows } = await this.#retrier.through(count, signal);
    return rows === 0 ? undefined : { ...window, rows };
  }

  async #openRecord(window: ArchiveWindow, index: number, context: JobContext): Promise<ArchiveFile> {
    const { fractal, request, resumed } = this.#plan;
    const { split, fields } = request;
    const name = this.#records.existing(window) ?? (await this.#records.name(window, context));
    const file = { fractal, split, fields, archive_id: name.archive_id, path: name.path, window };
    await this.#saveRecord(file);
    await this.#removeRecords(resumed?.job_ids ?? []);
    try {
      await this.#records.open(name, window, index, context.signal);
    } catch (error) {
      // The record may exist even though the response was lost.
      if (asBifractError(error).code === 'POSTGRES_UNREACHABLE') this.#recordPending = true;
      throw error;
    }
    await this.#saveRecord(file);
    return file;
  }

  /** Whether some rows of the window may already be stored. */
  #isPartlyWritten(window: ArchiveWindow): boolean {
    const path = this.#records.existing(window)?.path;
    return this.#unfinished.some(({ name }) => name === path);
  }

  async #write(file: ArchiveFile, context: JobContext): Promise<FileSummary> {
    const unfinished = this.#unfinished.filter(({ name }) => name === file.path);
    const [longest, ...others] = unfinished;
    // Repeated interruptions leave one file each: only the longest is useful.
    await this.#discard(others);
    const stored = longest && unfinishedRows(this.#deps, longest, context.signal);
    try {
      return await writeArchiveFile(this.#deps, { ...file, stored }, this.#totals, this.#retrier, context);
    } finally {
      if (!this.#retrier.exhausted) {
        await this.#discard(unfinished);
      }
    }
  }

  async #discard(unfinished: readonly UnfinishedObject[]): Promise<void> {
    this.#unfinished = this.#unfinished.filter((one) => !unfinished.includes(one));
    await discardAll(this.#deps.storage, unfinished);
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
        window: { label: window.label, from: window.from ?? null, to: window.to, rows: window.rows },
        leftovers: this.#unfinished.map(({ id }) => id),
        ...(this.group_id === undefined ? {} : { group_id: this.group_id }),
      },
    };
    // Skips identical records: each write costs two fsyncs, and there may be many small files.
    if (isDeepStrictEqual(record, { ...this.#record, started_at: record.started_at })) return;
    await this.#deps.state.save(record);
    this.#record = record;
  }

  async #removeRecords(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#deps.state.remove(id);
  }

  async #closeGroup(message: string | null): Promise<void> {
    try {
      await this.#records.close(message, this.#context);
    } catch (cause) {
      this.#recordPending = true;
      if (message === null)
        throw recordLost('All files are complete', 'their group record', asBifractError(cause));
    }
  }

  #failureReason(error: unknown): BifractError {
    return asBifractError(this.#context.signal.aborted ? this.#context.signal.reason : error);
  }
}
