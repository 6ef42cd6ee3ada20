import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { asBifractError, BifractError } from '../errors.ts';
import { archiveName, archivePath } from '../policy/names.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { Storage } from '../ports/storage.ts';
import type { ArchiveName, ArchivePlan } from './archive-plan.ts';
import type { ArchiveWindow } from './archive-windows.ts';
import type { JobContext } from './context.ts';
import { freeName } from './free-name.ts';
import type { Patience } from './patience.ts';
import { insist } from './record.ts';

export interface GroupRecordsDeps {
  catalog: Catalog;
  storage: Storage;
}

/** The records of an archive that is being made: its group's, and one for each file. */
export class GroupRecords {
  group_id: string | undefined;
  /** Windows that got no record, though there are rows in them. */
  #missing: number;
  readonly #deps: GroupRecordsDeps;
  readonly #plan: ArchivePlan;
  readonly #patience: Patience;

  constructor(deps: GroupRecordsDeps, plan: ArchivePlan, patience: Patience) {
    this.#deps = deps;
    this.#plan = plan;
    this.#patience = patience;
    this.group_id = plan.continued?.group_id;
    this.#missing = plan.windows.filter((window) => !this.known(window)).length;
  }

  /** The file of a window that was begun before. */
  known({ label }: ArchiveWindow): ArchiveName | undefined {
    return this.#plan.continued?.files.get(label);
  }

  /** A name that no record and no file has. */
  async name({ label }: ArchiveWindow, { now, signal }: JobContext): Promise<ArchiveName> {
    const { id } = this.#plan.fractal;
    const nameAt = (time: Date) => archivePath(id, archiveName(id, time, label ?? undefined));
    const path = await freeName(this.#deps.storage, now(), nameAt, signal);
    return { archive_id: randomUUID(), filename: posix.basename(path), path };
  }

  /** A window without rows gets none. */
  spare(window: ArchiveWindow): void {
    if (!this.known(window)) this.#missing--;
  }

  /** Opens the file's record, with its group where it is the first, or says of that of an interrupted one that it goes on. */
  async open(named: ArchiveName, window: ArchiveWindow, index: number, signal: AbortSignal): Promise<void> {
    if (this.known(window)) return this.#deps.catalog.reopenArchive(named.archive_id, { signal });
    const open = () => this.#insert(named, window, signal);
    // Between two files, somebody else may have begun something on the fractal, and PostgreSQL may restart.
    const again = index > 0 || this.group_id !== undefined;
    this.group_id = await (again ? this.#patience.through(() => busyPasses(open), signal) : open());
    this.#missing--;
  }

  /** The id of the group. */
  async #insert(
    { archive_id, filename, path }: ArchiveName,
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

  /** Says of the group how it ended. */
  async close(message: string | null, context: JobContext): Promise<void> {
    const { group_id } = this;
    if (group_id === undefined) return;
    await insist(() => this.#deps.catalog.closeGroup(group_id, { missing: this.#missing, message }), context);
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
