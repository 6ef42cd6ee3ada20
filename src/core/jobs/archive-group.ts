import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { asBifractError, BifractError } from '../errors.ts';
import type { FileSummary } from '../format/index.ts';
import { archiveName, archivePath } from '../policy/names.ts';
import type { Fractal } from '../ports/catalog.ts';
import type { ArchiveRequest, JobNote, State } from '../ports/state.ts';
import type { Leftover } from '../ports/storage.ts';
import type { Timestamp } from '../ports/types.ts';
import { type ArchiveFile, type ArchiveFileDeps, type Before, writeFile } from './archive-file.ts';
import { type ArchiveChild, childOf } from './archive-summary.ts';
import type { ArchiveWindow } from './archive-windows.ts';
import type { JobContext } from './context.ts';
import type { Failure } from './failures.ts';
import { freeName } from './free-name.ts';
import type { Patience } from './patience.ts';
import { closeRecord, failRecord, insist, recordLost } from './record.ts';
import { discardStored, storedLines } from './stored-lines.ts';
import { timeLimit } from './time-limit.ts';

export interface ArchiveGroupDeps extends ArchiveFileDeps {
  state: State;
  /** Wall-clock limit of one file, milliseconds. */
  max_duration_ms: number;
}

/** An archive of a fractal that is being made: its files are written one after the other. */
export interface ArchivePlan {
  fractal: Fractal;
  request: ArchiveRequest;
  /** Time of the newest row when it was begun. */
  end: Timestamp;
  begun_at: Timestamp;
  /** Those that are still to be made. */
  windows: readonly ArchiveWindow[];
  /** Set where an archive that was interrupted goes on. */
  continued?: Continued;
}

/** What tells the file of an archive from all others. */
interface ArchiveName {
  archive_id: string;
  filename: string;
  /** The name in storage. */
  path: string;
}

/** What an interrupted archive left. */
export interface Continued {
  group_id: string;
  /** Files that have a record, by their periods. */
  files: ReadonlyMap<string | null, ArchiveName>;
  /** What is left of files that were under way: the longest first. */
  leftovers: Leftover[];
  /** Notes of the jobs that died, to be forgotten once there is one of this job. */
  notes: string[];
}

/** What fails for one file will fail for the next. */
const LASTING = new Set(['STORAGE_FULL', 'STORAGE_DENIED', 'STORAGE_UNREACHABLE', 'CLICKHOUSE_UNREACHABLE']);

/** Makes the files of a plan. One that fails does not keep the others from being made, unless they would fail too. */
export class ArchiveGroup {
  readonly children: ArchiveChild[] = [];
  readonly failures: Failure[] = [];
  /** Windows that were not begun when it ended early. */
  unbegun = 0;
  group_id: string | undefined;
  /** Windows that got no record, though there are rows in them. */
  #missing: number;
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

  constructor(deps: ArchiveGroupDeps, plan: ArchivePlan, context: JobContext, patience: Patience) {
    this.#deps = deps;
    this.#plan = plan;
    this.#context = context;
    this.#patience = patience;
    this.group_id = plan.continued?.group_id;
    this.#leftovers = plan.continued?.leftovers ?? [];
    this.#missing = plan.windows.filter(({ label }) => !plan.continued?.files.has(label)).length;
    const total_rows = plan.windows.reduce((sum, { rows }) => sum + rows, 0);
    this.#before = { rows: 0, bytes_in: 0, bytes_out: 0, total_rows };
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
      if (!this.#plan.continued?.files.has(planned.label)) this.#missing--;
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
    const reopened = continued?.files.get(window.label);
    const named = reopened ?? (await this.#name(window, context.signal));
    const file = { fractal, split, fields, archive_id: named.archive_id, path: named.path, window };
    await this.#note(file);
    await this.#forget(continued?.notes ?? []);
    try {
      if (reopened) await this.#deps.catalog.reopenArchive(reopened.archive_id, { signal: context.signal });
      else await this.#openRecord(named, window, index, context);
    } catch (error) {
      // It may have been opened though the answer was lost.
      if (asBifractError(error).code === 'POSTGRES_UNREACHABLE') this.#unsettled = true;
      throw error;
    }
    if (!reopened) this.#missing--;
    await this.#note(file);
    return file;
  }

  /** Whether rows of the window may have been stored before. */
  #isUnderWay({ label }: ArchiveWindow): boolean {
    const path = this.#plan.continued?.files.get(label)?.path;
    return this.#leftovers.some(({ name }) => name === path);
  }

  async #name({ label }: ArchiveWindow, signal: AbortSignal): Promise<ArchiveName> {
    const { id } = this.#plan.fractal;
    const nameAt = (time: Date) => archivePath(id, archiveName(id, time, label ?? undefined));
    const path = await freeName(this.#deps.storage, this.#context.now(), nameAt, signal);
    return { archive_id: randomUUID(), filename: posix.basename(path), path };
  }

  /** Between two files, somebody else may have begun something on the fractal, and PostgreSQL may restart. */
  async #openRecord(
    { archive_id, filename, path }: ArchiveName,
    { label }: ArchiveWindow,
    index: number,
    { signal }: JobContext,
  ): Promise<void> {
    const { fractal, request, end, windows } = this.#plan;
    const { catalog, storage } = this.#deps;
    const open = async () => {
      const [opened] = await catalog.archives({ ids: [archive_id] }, { signal });
      if (opened) return opened.group_id ?? undefined;
      const { group_id } = await catalog.openArchive(
        {
          id: archive_id,
          group_id: this.group_id,
          split: request.split,
          archive_count: windows.length,
          period_label: label,
          fractal_id: fractal.id,
          filename,
          storage_type: storage.kind === 's3' ? 's3' : 'disk',
          storage_path: path,
          archive_type: request.archive_type,
          archive_end_ts: end,
        },
        { signal },
      );
      return group_id;
    };
    const again = index > 0 || this.group_id !== undefined;
    this.group_id = await (again ? this.#patience.through(() => busyPasses(open), signal) : open());
  }

  async #write(file: ArchiveFile, context: JobContext): Promise<FileSummary> {
    const leftovers = this.#leftovers.filter(({ name }) => name === file.path);
    const [longest] = leftovers;
    const stored = longest && storedLines(this.#deps, longest, context.signal);
    try {
      return await writeFile(this.#deps, { ...file, stored }, this.#before, this.#patience, context);
    } finally {
      if (!this.#patience.exhausted) {
        this.#leftovers = this.#leftovers.filter((one) => !leftovers.includes(one));
        await discardStored(this.#deps.storage, leftovers);
      }
    }
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
    await this.#deps.state.note(note);
    this.#last = note;
  }

  async #forget(notes: readonly string[]): Promise<void> {
    for (const id of notes) await this.#deps.state.forget(id);
  }

  async #close(message: string | null): Promise<void> {
    const { group_id } = this;
    if (group_id === undefined) return;
    const close = () => this.#deps.catalog.closeGroup(group_id, { missing: this.#missing, message });
    try {
      await insist(close, this.#context);
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

/** Somebody else's operation on the fractal ends. */
async function busyPasses<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    const error = asBifractError(thrown);
    if (error.code !== 'BUSY') throw thrown;
    throw new BifractError('BUSY', error.message, { hint: error.hint, cause: error, transient: true });
  }
}
