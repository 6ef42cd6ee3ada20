import { isDeepStrictEqual } from 'node:util';
import { asBifractError, type BifractError } from '../errors.ts';
import type { FileSummary } from '../format/index.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { Leftover } from '../ports/storage.ts';
import { type ArchiveFile, type ArchiveFileDeps, type Before, writeFile } from './archive-file.ts';
import type { ArchivePlan } from './archive-plan.ts';
import { type ArchiveChild, childOf } from './archive-summary.ts';
import type { ArchiveWindow } from './archive-windows.ts';
import type { JobContext } from './context.ts';
import type { Failure } from './failures.ts';
import { GroupRecords } from './group-records.ts';
import type { Patience } from './patience.ts';
import { closeRecord, failRecord, recordLost } from './record.ts';
import { discardStored, storedLines } from './stored-lines.ts';
import { timeLimit } from './time-limit.ts';

export interface ArchiveGroupDeps extends ArchiveFileDeps {
  state: State;
  /** Wall-clock limit of one file, milliseconds. */
  max_duration_ms: number;
}

/** What fails for one file will fail for the next. */
const LASTING = new Set(['STORAGE_FULL', 'STORAGE_DENIED', 'STORAGE_UNREACHABLE', 'CLICKHOUSE_UNREACHABLE']);

/** Makes the files of a plan. One that fails does not keep the others from being made, unless they would fail too. */
export class ArchiveGroup {
  readonly children: ArchiveChild[] = [];
  readonly failures: Failure[] = [];
  /** Windows that were not begun when it ended early. */
  unbegun = 0;
  /** The record could not be told the truth: the note must stay, for whoever comes next. */
  #unsettled = false;
  #last: JobNote | undefined;
  /** What an interrupted archive left, as far as it was not needed yet. */
  #leftovers: Leftover[];
  readonly #deps: ArchiveGroupDeps;
  readonly #plan: ArchivePlan;
  readonly #context: JobContext;
  readonly #patience: Patience;
  readonly #before: Before;
  readonly #records: GroupRecords;

  constructor(deps: ArchiveGroupDeps, plan: ArchivePlan, context: JobContext, patience: Patience) {
    this.#deps = deps;
    this.#plan = plan;
    this.#context = context;
    this.#patience = patience;
    this.#records = new GroupRecords(deps, plan, patience);
    this.#leftovers = plan.continued?.leftovers ?? [];
    const total_rows = plan.windows.reduce((sum, { rows }) => sum + rows, 0);
    this.#before = { rows: 0, bytes_in: 0, bytes_out: 0, total_rows };
  }

  /** The record of the group, once there is one. */
  get group_id(): string | undefined {
    return this.#records.group_id;
  }

  /** Throws only what ended it early; what failed on the way is in `failures`. */
  async run(): Promise<void> {
    const { windows } = this.#plan;
    let ended = false;
    try {
      for (const [index, window] of windows.entries()) {
        this.unbegun = windows.length - index;
        this.#context.signal.throwIfAborted();
        this.unbegun--;
        await this.#file(window, index);
      }
      await this.#close(null);
      ended = true;
    } catch (error) {
      await this.#close(this.#endReason(error).message);
      throw error;
    } finally {
      await this.#endNote(ended || this.#context.signal.aborted);
    }
  }

  /** What is stored when waiting has come to its end, or before anything could go on with it, is good for the same call. */
  async #endNote(done: boolean): Promise<void> {
    if (this.#unsettled) return;
    const waits = !done && this.#leftovers.length > 0;
    if (this.#last && (this.#patience.exhausted || waits)) return this.#deps.state.leave(this.#last);
    // Notes that told of them are gone once there was one of this job.
    if (this.#last) await discardStored(this.#deps.storage, this.#leftovers);
    await this.#deps.state.forget(this.#context.id);
  }

  async #file(window: ArchiveWindow, index: number): Promise<void> {
    const limit = timeLimit(this.#context.signal, {
      max_ms: this.#deps.max_duration_ms,
      variable: 'BIFRACT_ARCHIVE_MAX_DURATION',
      what: 'The archive',
    });
    try {
      const child = await this.#make(window, index, { ...this.#context, signal: limit.signal });
      if (child) this.#made(child);
    } catch (thrown) {
      this.#failed(window, thrown);
    } finally {
      limit.release();
    }
  }

  #made(child: ArchiveChild): void {
    this.children.push(child);
    this.#before.rows += child.log_count;
    this.#before.bytes_in += child.content_bytes;
    this.#before.bytes_out += child.size_bytes;
    if (child.period_label === null) return;
    const message = `${child.log_count} rows`;
    this.#context.emit('job:item', { item: child.period_label, ok: true, message, details: { ...child } });
  }

  /** Goes on with the next, or throws where that makes no sense. */
  #failed(window: ArchiveWindow, thrown: unknown): void {
    const error = asBifractError(thrown);
    const begun = this.group_id !== undefined;
    if (this.#context.signal.aborted || !begun || window.label === null) throw thrown;
    this.failures.push({ item: window.label, error: error.report() });
    const { message } = error;
    this.#context.emit('job:item', { item: window.label, ok: false, message, error: error.report() });
    if (this.#unsettled || this.#patience.exhausted || LASTING.has(error.code)) throw thrown;
  }

  /** Undefined where the window holds no rows any more. */
  async #make(planned: ArchiveWindow, index: number, context: JobContext): Promise<ArchiveChild | undefined> {
    const window = await this.#counted(planned, index, context);
    if (!window) {
      this.#records.spare(planned);
      return undefined;
    }
    const file = await this.#open(window, index, context);
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
      // A note that stays makes the next start finish what could not be written now.
      const reason = context.signal.aborted ? context.signal.reason : error;
      if (!(await failRecord(this.#deps.catalog, file.archive_id, reason))) this.#unsettled = true;
      throw reason;
    }
  }

  /** The first was counted just now; the others may have waited for long. One that goes on is as it was counted then. */
  async #counted(
    window: ArchiveWindow,
    index: number,
    { signal }: JobContext,
  ): Promise<ArchiveWindow | undefined> {
    if (index === 0 || this.#isUnderWay(window)) return window;
    const { from, to } = window;
    const ask = () => this.#deps.logs.stats({ fractal_id: this.#plan.fractal.id, from, to }, { signal });
    const { rows } = await this.#patience.through(ask, signal);
    return rows === 0 ? undefined : { ...window, rows };
  }

  async #open(window: ArchiveWindow, index: number, context: JobContext): Promise<ArchiveFile> {
    const { fractal, request, continued } = this.#plan;
    const { split, fields } = request;
    const named = this.#records.known(window) ?? (await this.#records.name(window, context));
    const file = { fractal, split, fields, archive_id: named.archive_id, path: named.path, window };
    await this.#note(file);
    await this.#forget(continued?.notes ?? []);
    try {
      await this.#records.open(named, window, index, context.signal);
    } catch (error) {
      // It may have been opened though the answer was lost.
      if (asBifractError(error).code === 'POSTGRES_UNREACHABLE') this.#unsettled = true;
      throw error;
    }
    await this.#note(file);
    return file;
  }

  /** Whether rows of the window may have been stored before. */
  #isUnderWay(window: ArchiveWindow): boolean {
    const path = this.#records.known(window)?.path;
    return this.#leftovers.some(({ name }) => name === path);
  }

  async #write(file: ArchiveFile, context: JobContext): Promise<FileSummary> {
    const leftovers = this.#leftovers.filter(({ name }) => name === file.path);
    const [longest, ...shorter] = leftovers;
    // Of a call that dies again and again, each leaves one: only the longest is of use.
    await this.#discard(shorter);
    const stored = longest && storedLines(this.#deps, longest, context.signal);
    try {
      return await writeFile(this.#deps, { ...file, stored }, this.#before, this.#patience, context);
    } finally {
      if (!this.#patience.exhausted) {
        await this.#discard(leftovers);
      }
    }
  }

  async #discard(leftovers: readonly Leftover[]): Promise<void> {
    this.#leftovers = this.#leftovers.filter((one) => !leftovers.includes(one));
    await discardStored(this.#deps.storage, leftovers);
  }

  async #note({ archive_id, path, window }: ArchiveFile): Promise<void> {
    const { request, end, begun_at } = this.#plan;
    const note: JobNote = {
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
        leftovers: this.#leftovers.map(({ id }) => id),
        ...(this.group_id === undefined ? {} : { group_id: this.group_id }),
      },
    };
    // Once the group is known, a file's second note is its first. Each costs two fsyncs, and files may be many and small.
    if (isDeepStrictEqual(note, { ...this.#last, started_at: note.started_at })) return;
    await this.#deps.state.note(note);
    this.#last = note;
  }

  async #forget(notes: readonly string[]): Promise<void> {
    for (const id of notes) await this.#deps.state.forget(id);
  }

  async #close(message: string | null): Promise<void> {
    try {
      await this.#records.close(message, this.#context);
    } catch (cause) {
      this.#unsettled = true;
      if (message === null)
        throw recordLost('All files are whole', 'the record of their group', asBifractError(cause));
    }
  }

  #endReason(error: unknown): BifractError {
    return asBifractError(this.#context.signal.aborted ? this.#context.signal.reason : error);
  }
}
