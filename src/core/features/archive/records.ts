import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { FileSummary } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier } from '../../job/retry.ts';
import { archiveName, archivePath } from '../../policy/names.ts';
import { freeName } from '../files/free-name.ts';
import type { Connected } from './connect.ts';
import type { ArchiveFileName, ArchivePlan, ArchiveWindow } from './plan.ts';

/** How long to retry recording the result of an archive, milliseconds. */
const RECORD_RETRY_MS = 30_000;

/** The records of an archive in progress: its group's, and one for each file. */
export class ArchiveRecords {
  /** Undefined until the first record exists. */
  group_id: string | undefined;
  /** Windows with rows that have no record yet. */
  #missing: number;
  readonly #connected: Connected;
  readonly #plan: ArchivePlan;
  readonly #retrier: Retrier;
  readonly #context: JobContext;

  constructor(connected: Connected, plan: ArchivePlan, retrier: Retrier, context: JobContext) {
    this.#connected = connected;
    this.#plan = plan;
    this.#retrier = retrier;
    this.#context = context;
    this.group_id = plan.resumed?.group_id;
    this.#missing = plan.windows.filter((window) => !this.existing(window)).length;
  }

  /** The file of a window started before the interruption. */
  existing({ label }: ArchiveWindow): ArchiveFileName | undefined {
    return this.#plan.resumed?.files.get(label);
  }

  /** A name that is not in use. */
  async name({ label }: ArchiveWindow, signal: AbortSignal): Promise<ArchiveFileName> {
    const { id } = this.#plan.fractal;
    const nameAt = (time: Date) => archivePath(id, archiveName(id, time, label ?? undefined));
    const path = await freeName(this.#connected.storage, this.#context.now(), nameAt, signal);
    return { archive_id: randomUUID(), filename: posix.basename(path), path };
  }

  /** Excludes a window without rows. */
  skip(window: ArchiveWindow): void {
    if (!this.existing(window)) this.#missing--;
  }

  /** Opens the file's record, and its group for the first one. The record of an interrupted file is reopened. */
  async open(
    name: ArchiveFileName,
    window: ArchiveWindow,
    index: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.existing(window)) return this.#connected.catalog.reopenArchive(name.archive_id, { signal });
    const open = () => this.#insert(name, window, signal);
    // Between two files, another operation may have started on the fractal, or PostgreSQL may restart.
    const retry = index > 0 || this.group_id !== undefined;
    this.group_id = await (retry ? this.#retrier.through(() => retryWhileBusy(open), signal) : open());
    this.#missing--;
  }

  /** Returns the group id. */
  async #insert(
    { archive_id, filename, path }: ArchiveFileName,
    { label }: ArchiveWindow,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { fractal, request, end, windows } = this.#plan;
    const { catalog, storage } = this.#connected;
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
  }

  /** Completes the record of a durable file. `RECORD_LOST` if PostgreSQL does not answer. */
  async complete({ archive_id, path }: ArchiveFileName, file: FileSummary): Promise<void> {
    const result = {
      size_bytes: file.size_bytes,
      log_count: file.rows,
      time_range_start: file.first,
      time_range_end: file.last,
      checksum: file.checksum,
    };
    try {
      await this.#write(() => this.#connected.catalog.completeArchive(archive_id, result));
    } catch (error) {
      throw recordLost(`The archive ${path} is complete`, 'its record', error);
    }
  }

  /**
   * Marks a record as failed. Returns false if the catalog cannot be reached, or if only the record of a complete file
   * is missing. Never throws: a second error must not hide the first.
   */
  async fail({ archive_id }: ArchiveFileName, error: unknown): Promise<boolean> {
    const { code, message } = asBifractError(error);
    if (code === 'RECORD_LOST') return false;
    return this.#connected.catalog.failArchive(archive_id, message).then(
      () => true,
      () => false,
    );
  }

  /** Records the outcome of the group: of a complete one with `RECORD_LOST` if PostgreSQL does not answer. */
  async close(message: string | null): Promise<void> {
    const { group_id } = this;
    if (group_id === undefined) return;
    try {
      await this.#write(() =>
        this.#connected.catalog.closeGroup(group_id, { missing: this.#missing, message }),
      );
    } catch (error) {
      throw recordLost('All files are complete', 'their group record', error);
    }
  }

  /** Writes to the catalog, even if the job is being cancelled. */
  async #write(write: () => Promise<void>): Promise<void> {
    const retrier = new Retrier({ ...this.#connected.retry, max_ms: RECORD_RETRY_MS }, this.#context);
    // PostgreSQL answered when the record was opened.
    retrier.progressed();
    await retrier.through(write, new AbortController().signal);
  }
}

/** Makes `BUSY` retryable: other operations on the fractal end. */
async function retryWhileBusy<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    const error = asBifractError(thrown);
    if (error.code !== 'BUSY') throw thrown;
    throw new BifractError('BUSY', error.message, { hint: error.hint, cause: error, transient: true });
  }
}

/** The files are intact, but the catalog could not be updated. */
function recordLost(intact: string, record: string, thrown: unknown): BifractError {
  const cause = asBifractError(thrown);
  return new BifractError('RECORD_LOST', `${intact}, but ${record} could not be written: ${cause.message}`, {
    hint: 'No data is lost. The record is completed by the next job, or when the console is opened, once PostgreSQL answers.',
    cause,
  });
}
