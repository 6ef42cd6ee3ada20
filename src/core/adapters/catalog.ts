import { BifractError } from '../errors.ts';
import type {
  AdoptedArchive,
  ArchiveGroup,
  ArchiveRecord,
  ArchiveResult,
  Catalog,
  Fractal,
  NewArchive,
  RestoreMark,
} from '../ports/catalog.ts';
import type { CallOptions } from '../ports/types.ts';
import { insertAdopted, insertFractal } from './adopt-records.ts';
import {
  describeActive,
  insertArchive,
  isBusy,
  isOrphan,
  lockGroup,
  sumUpGroup,
  writeClosed,
  writeCompleted,
  writeFailed,
  writeReopened,
} from './archive-records.ts';
import { holdIdle, removeArchive, removeGroup, writePlace } from './delete-records.ts';
import { packedRows } from './packed-rows.ts';
import { PostgresPool, type Session } from './postgres.ts';
import type { PostgresConnection } from './postgres-errors.ts';
import { ARCHIVES, GROUPS } from './record-lists.ts';
import { markRestoring, NOTE_RESTORE, NOTE_RESTORE_LINES, unmarkRestoring } from './restore-records.ts';

const FRACTALS = `SELECT id, name, description, is_default, is_system, created_at, log_count, size_bytes,
    earliest_log, latest_log, retention_days, archive_schedule, max_archives, archive_split
  FROM fractals ORDER BY name`;
/** What the server declared failed while our job ran on is running again. */
const NOTE = `WITH noted AS (
    UPDATE archives SET log_count = $2, size_bytes = $3, status = 'in_progress', error_message = NULL
    WHERE id = $1 AND status IN ('in_progress', 'failed') RETURNING group_id)
  UPDATE archive_groups g SET status = 'in_progress', error_message = NULL
  FROM noted WHERE g.id = noted.group_id AND g.status <> 'in_progress'`;
const NOTE_COUNTS = 'UPDATE archives SET log_count = $2, size_bytes = $3 WHERE id = $1';

const INGEST_TOKEN = `SELECT token_value FROM ingest_tokens WHERE fractal_id = $1 AND is_active
  ORDER BY is_default DESC, token_value LIMIT 1`;

/** The server's records. Connects at the first question. */
export async function connectCatalog(connection: PostgresConnection): Promise<Catalog> {
  return new PostgresCatalog(await PostgresPool.open(connection));
}

class PostgresCatalog implements Catalog {
  readonly #pool: PostgresPool;
  /** Notes on their way, by archive: one that came late would undo the end of the archive. */
  readonly #notes = new Map<string, Promise<unknown>>();

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
    end: { missing: number | null; message: string | null },
    options?: CallOptions,
  ): Promise<void> {
    await this.#pool.transaction((session) => writeClosed(session, group_id, end), options);
  }

  async noteProgress(
    archive_id: string,
    { log_count, size_bytes }: { log_count: number; size_bytes: number },
    options?: CallOptions,
  ): Promise<void> {
    await this.#note(NOTE, NOTE_COUNTS, [archive_id, log_count, size_bytes], options);
  }

  completeArchive(archive_id: string, result: ArchiveResult, options?: CallOptions): Promise<void> {
    return this.#end(archive_id, (session) => writeCompleted(session, archive_id, result), options);
  }

  failArchive(archive_id: string, message: string, options?: CallOptions): Promise<void> {
    return this.#end(archive_id, (session) => writeFailed(session, archive_id, message), options);
  }

  adoptArchive(archive: AdoptedArchive, options?: CallOptions) {
    return this.#pool.transaction((session) => insertAdopted(session, archive), options);
  }

  async createFractal(fractal: { id: string; name: string }, options?: CallOptions): Promise<void> {
    await this.#pool.transaction((session) => insertFractal(session, fractal), options);
  }

  async dropArchive(archive_id: string, options?: CallOptions): Promise<void> {
    await this.#notes.get(archive_id);
    await this.#pool.transaction((session) => removeArchive(session, archive_id), options);
  }

  deleteArchive(archive_id: string, removeFile: () => Promise<void>): Promise<boolean> {
    return this.#pool.transaction(async (session) => {
      if (!(await holdIdle(session, archive_id))) return false;
      // The file goes last: what fails before it is rolled back, and after it is only the commit.
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
    place: { storage_type: 'disk' | 's3'; storage_path: string },
    options?: CallOptions,
  ): Promise<void> {
    return this.#pool.transaction((session) => writePlace(session, archive_id, place), options);
  }

  async ingestToken(fractal_id: string, options?: CallOptions): Promise<string | null> {
    const [row] = await this.#pool.query<{ token_value: string }>(INGEST_TOKEN, [fractal_id], options);
    return row?.token_value ?? null;
  }

  async beginRestore(archive_id: string, before?: RestoreMark, options?: CallOptions): Promise<void> {
    if (before) await this.#notes.get(before.archive_id);
    const [record] = await this.archives({ ids: [archive_id] }, options);
    if (!record) throw recordGone(archive_id);
    await this.#open(record.fractal_id, (session) => markRestoring(session, archive_id, before), options);
  }

  noteRestore(archive_id: string, lines: number, options?: CallOptions): Promise<void> {
    return this.#note(NOTE_RESTORE, NOTE_RESTORE_LINES, [archive_id, lines], options);
  }

  async endRestore(mark: RestoreMark, options?: CallOptions): Promise<void> {
    await this.#notes.get(mark.archive_id);
    this.#notes.delete(mark.archive_id);
    await this.#pool.transaction((session) => unmarkRestoring(session, mark), options);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #note(
    sql: string,
    counts: string,
    values: [archive_id: string, ...counts: number[]],
    options?: CallOptions,
  ): Promise<void> {
    const [archive_id] = values;
    const note = this.#pool.query(sql, values, options).catch((error: unknown) => {
      // Another operation took the fractal over: the status is no longer ours to claim, the counts are.
      if (!isBusy(error)) throw error;
      return this.#pool.query(counts, values, options);
    });
    const before = this.#notes.get(archive_id);
    const all = Promise.allSettled([before, note]);
    this.#notes.set(archive_id, all);
    await note;
  }

  async #open<T>(
    fractal_id: string,
    work: (session: Session) => Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    try {
      return await this.#pool.transaction(work, options);
    } catch (error) {
      if (isOrphan(error))
        throw new BifractError('NOT_FOUND', `There is no fractal ${fractal_id}`, {
          hint: 'See `bifract list fractals`.',
        });
      if (!isBusy(error)) throw error;
      const active = await this.#pool.transaction((session) => describeActive(session, fractal_id), options);
      throw new BifractError('BUSY', active, {
        hint: 'Wait until it has ended, then try again.',
        cause: error,
      });
    }
  }

  async #end(
    archive_id: string,
    write: (session: Session) => Promise<boolean>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#notes.get(archive_id);
    this.#notes.delete(archive_id);
    await this.#pool.transaction(async (session) => {
      const group = await lockGroup(session, archive_id);
      if (!(await write(session))) throw recordGone(archive_id);
      if (group !== undefined) await sumUpGroup(session, group);
    }, options);
  }
}

function recordGone(archive_id: string): BifractError {
  return new BifractError('NOT_FOUND', `The record of archive ${archive_id} is gone`, {
    hint: 'Somebody deleted it meanwhile: see `bifract list archives`.',
  });
}
