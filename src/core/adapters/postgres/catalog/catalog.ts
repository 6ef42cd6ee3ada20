import { BifractError } from '../../../contract/errors.ts';
import type {
  AdoptedArchive,
  ArchiveGroup,
  ArchiveRecord,
  ArchiveResult,
  Catalog,
  Fractal,
  NewArchive,
  RestoreOutcome,
} from '../../../ports/catalog.ts';
import type { CallOptions } from '../../../ports/types.ts';
import type { PostgresConnection } from '../errors.ts';
import { PostgresPool, type Session } from '../pool.ts';
import { insertAdopted, insertFractal } from './adopt.ts';
import {
  describeActive,
  insertArchive,
  isBusy,
  isMissingFractal,
  lockGroup,
  updateGroupTotals,
  writeClosed,
  writeCompleted,
  writeFailed,
  writeReopened,
} from './archives.ts';
import { lockIdle, removeArchive, removeGroup, writeLocation } from './delete.ts';
import { ARCHIVES, GROUPS } from './lists.ts';
import { clearRestoring, setRestoring, UPDATE_RESTORE, UPDATE_RESTORE_LINES } from './restore.ts';
import { packedRows } from './row-codec.ts';

const FRACTALS = `SELECT id, name, description, is_default, is_system, created_at, log_count, size_bytes,
    earliest_log, latest_log, retention_days, archive_schedule, max_archives, archive_split
  FROM fractals ORDER BY name`;
/** Also sets a record back to `in_progress` that the server set to failed during our job. */
const UPDATE_PROGRESS = `WITH updated AS (
    UPDATE archives SET log_count = $2, size_bytes = $3, status = 'in_progress', error_message = NULL
    WHERE id = $1 AND status IN ('in_progress', 'failed') RETURNING group_id)
  UPDATE archive_groups g SET status = 'in_progress', error_message = NULL
  FROM updated WHERE g.id = updated.group_id AND g.status <> 'in_progress'`;
const UPDATE_COUNTS = 'UPDATE archives SET log_count = $2, size_bytes = $3 WHERE id = $1';

const INGEST_TOKEN = `SELECT token_value FROM ingest_tokens WHERE fractal_id = $1 AND is_active
  ORDER BY is_default DESC, token_value LIMIT 1`;

/** The server's records. Connects on the first query. */
export async function connectCatalog(connection: PostgresConnection): Promise<Catalog> {
  return new PostgresCatalog(await PostgresPool.open(connection));
}

class PostgresCatalog implements Catalog {
  readonly #pool: PostgresPool;
  /** Pending updates by archive: one that arrives late would overwrite the final status. */
  readonly #updates = new Map<string, Promise<unknown>>();

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  async serverVersion(options?: CallOptions): Promise<string> {
    const [row] = await this.#pool.query<{ server_version: string }>('SHOW server_version', [], options);
    return row?.server_version.split(' ')[0] ?? '';
  }

  fractals(options?: CallOptions): Promise<Fractal[]> {
    return this.#pool.query<Fractal>(FRACTALS, [], options);
  }

  groups(filter: { fractal_id?: string } = {}, options?: CallOptions): Promise<ArchiveGroup[]> {
    return packedRows(this.#pool, GROUPS, [filter.fractal_id ?? null], options);
  }

  archives(
    filter: { fractal_id?: string; ids?: string[] } = {},
    options?: CallOptions,
  ): Promise<ArchiveRecord[]> {
    return packedRows(this.#pool, ARCHIVES, [filter.fractal_id ?? null, filter.ids ?? null], options);
  }

  openArchive(archive: NewArchive, options?: CallOptions) {
    return this.#open(archive.fractal_id, (session) => insertArchive(session, archive), options);
  }

  async reopenArchive(archive_id: string, options?: CallOptions): Promise<void> {
    const [record] = await this.archives({ ids: [archive_id] }, options);
    const found =
      record &&
      (await this.#open(record.fractal_id, (session) => writeReopened(session, archive_id), options));
    if (!found) throw recordGone(archive_id);
  }

  async closeGroup(
    group_id: string,
    outcome: { missing: number | null; message: string | null },
    options?: CallOptions,
  ): Promise<void> {
    await this.#pool.transaction((session) => writeClosed(session, group_id, outcome), options);
  }

  async updateProgress(
    archive_id: string,
    { log_count, size_bytes }: { log_count: number; size_bytes: number },
    options?: CallOptions,
  ): Promise<void> {
    await this.#update(UPDATE_PROGRESS, UPDATE_COUNTS, [archive_id, log_count, size_bytes], options);
  }

  completeArchive(archive_id: string, result: ArchiveResult, options?: CallOptions): Promise<void> {
    return this.#finish(archive_id, (session) => writeCompleted(session, archive_id, result), options);
  }

  failArchive(archive_id: string, message: string, options?: CallOptions): Promise<void> {
    return this.#finish(archive_id, (session) => writeFailed(session, archive_id, message), options);
  }

  adoptArchive(archive: AdoptedArchive, options?: CallOptions) {
    return this.#pool.transaction((session) => insertAdopted(session, archive), options);
  }

  async createFractal(fractal: { id: string; name: string }, options?: CallOptions): Promise<void> {
    await this.#pool.transaction((session) => insertFractal(session, fractal), options);
  }

  async dropArchive(archive_id: string, options?: CallOptions): Promise<void> {
    await this.#updates.get(archive_id);
    await this.#pool.transaction((session) => removeArchive(session, archive_id), options);
  }

  deleteArchive(archive_id: string, removeFile: () => Promise<void>): Promise<boolean> {
    return this.#pool.transaction(async (session) => {
      if (!(await lockIdle(session, archive_id))) return false;
      // Remove the file last: earlier failures are rolled back, and only the commit comes after it.
      await removeArchive(session, archive_id);
      await removeFile();
      return true;
    });
  }

  deleteGroup(group_id: string, options?: CallOptions): Promise<boolean> {
    return this.#pool.transaction((session) => removeGroup(session, group_id), options);
  }

  moveArchive(
    archive_id: string,
    location: { storage_type: 'disk' | 's3'; storage_path: string },
    options?: CallOptions,
  ): Promise<void> {
    return this.#pool.transaction((session) => writeLocation(session, archive_id, location), options);
  }

  async ingestToken(fractal_id: string, options?: CallOptions): Promise<string | null> {
    const [row] = await this.#pool.query<{ token_value: string }>(INGEST_TOKEN, [fractal_id], options);
    return row?.token_value ?? null;
  }

  async beginRestore(archive_id: string, previous?: RestoreOutcome, options?: CallOptions): Promise<void> {
    if (previous) await this.#updates.get(previous.archive_id);
    const [record] = await this.archives({ ids: [archive_id] }, options);
    if (!record) throw recordGone(archive_id);
    await this.#open(record.fractal_id, (session) => setRestoring(session, archive_id, previous), options);
  }

  updateRestore(archive_id: string, lines: number, options?: CallOptions): Promise<void> {
    return this.#update(UPDATE_RESTORE, UPDATE_RESTORE_LINES, [archive_id, lines], options);
  }

  async endRestore(outcome: RestoreOutcome, options?: CallOptions): Promise<void> {
    await this.#updates.get(outcome.archive_id);
    this.#updates.delete(outcome.archive_id);
    await this.#pool.transaction((session) => clearRestoring(session, outcome), options);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #update(
    sql: string,
    counts: string,
    values: [archive_id: string, ...counts: number[]],
    options?: CallOptions,
  ): Promise<void> {
    const [archive_id] = values;
    const updating = this.#pool.query(sql, values, options).catch((error: unknown) => {
      // Another operation is active on the fractal: update the counts, not the status.
      if (!isBusy(error)) throw error;
      return this.#pool.query(counts, values, options);
    });
    const previous = this.#updates.get(archive_id);
    const all = Promise.allSettled([previous, updating]);
    this.#updates.set(archive_id, all);
    await updating;
  }

  async #open<T>(
    fractal_id: string,
    work: (session: Session) => Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    try {
      return await this.#pool.transaction(work, options);
    } catch (error) {
      if (isMissingFractal(error))
        throw new BifractError('NOT_FOUND', `Fractal ${fractal_id} does not exist`, {
          hint: 'Run `bifract list fractals` to see all fractals.',
        });
      if (!isBusy(error)) throw error;
      const active = await this.#pool.transaction((session) => describeActive(session, fractal_id), options);
      throw new BifractError('BUSY', active, {
        hint: 'Wait until it has finished, then try again.',
        cause: error,
      });
    }
  }

  async #finish(
    archive_id: string,
    write: (session: Session) => Promise<boolean>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#updates.get(archive_id);
    this.#updates.delete(archive_id);
    await this.#pool.transaction(async (session) => {
      const group = await lockGroup(session, archive_id);
      if (!(await write(session))) throw recordGone(archive_id);
      if (group !== undefined) await updateGroupTotals(session, group);
    }, options);
  }
}

function recordGone(archive_id: string): BifractError {
  return new BifractError('NOT_FOUND', `The record of archive ${archive_id} is gone`, {
    hint: 'It was deleted in the meantime. Run `bifract list archives` to see what is left.',
  });
}
