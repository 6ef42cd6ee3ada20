import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { Retrier } from '../../job/retry.ts';
import { archiveName, archivePath } from '../../policy/names.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { Storage } from '../../ports/storage.ts';
import { freeName } from '../files/free-name.ts';
import type { ArchiveFileName, ArchivePlan } from './plan-types.ts';
import { writeWithRetry } from './record.ts';
import type { ArchiveWindow } from './windows.ts';

export interface GroupRecordsDeps {
  catalog: Catalog;
  storage: Storage;
}

/** The records of an archive in progress: its group's, and one for each file. */
export class GroupRecords {
  group_id: string | undefined;
  /** Windows with rows that have no record yet. */
  #missing: number;
  readonly #deps: GroupRecordsDeps;
  readonly #plan: ArchivePlan;
  readonly #retrier: Retrier;

  constructor(deps: GroupRecordsDeps, plan: ArchivePlan, retrier: Retrier) {
    this.#deps = deps;
    this.#plan = plan;
    this.#retrier = retrier;
    this.group_id = plan.resumed?.group_id;
    this.#missing = plan.windows.filter((window) => !this.existing(window)).length;
  }

  /** The file of a window started before the interruption. */
  existing({ label }: ArchiveWindow): ArchiveFileName | undefined {
    return this.#plan.resumed?.files.get(label);
  }

  /** A name that is not in use. */
  async name({ label }: ArchiveWindow, { now, signal }: JobContext): Promise<ArchiveFileName> {
    const { id } = this.#plan.fractal;
    const nameAt = (time: Date) => archivePath(id, archiveName(id, time, label ?? undefined));
    const path = await freeName(this.#deps.storage, now(), nameAt, signal);
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
    if (this.existing(window)) return this.#deps.catalog.reopenArchive(name.archive_id, { signal });
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
    const { catalog, storage } = this.#deps;
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

  /** Records the outcome of the group. */
  async close(message: string | null, context: JobContext): Promise<void> {
    const { group_id } = this;
    if (group_id === undefined) return;
    await writeWithRetry(
      () => this.#deps.catalog.closeGroup(group_id, { missing: this.#missing, message }),
      context,
    );
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
