import type { PostgresConnection } from '../../../config/settings.ts';
import { BifractError } from '../../../contract/errors.ts';
import type {
  AdoptedArchive,
  ArchiveResult,
  ArchiveSchedule,
  Catalog,
  NewArchive,
  NewFractal,
  RestoreOutcome,
} from '../../../ports/catalog.ts';
import type { RecordsShape } from '../../../ports/installation-shape.ts';
import type { CallOptions, ShapeOptions } from '../../../ports/types.ts';
import { sqlState } from '../errors.ts';
import { PostgresPool, type Session } from '../pool.ts';
import { copyServerRecords, mustPrepare, prepareOwnRecords, requireKnownVersion } from './own-records.ts';
import * as read from './read.ts';
import { readRecordsShape } from './shape.ts';
import * as write from './write.ts';

/** Also sets a record back to `in_progress` that the server set to failed during our job. */
const UPDATE_PROGRESS = `WITH updated AS (
    UPDATE archives SET log_count = $2, size_bytes = $3, status = 'in_progress', error_message = NULL
    WHERE id = $1 AND status IN ('in_progress', 'failed') RETURNING group_id)
  UPDATE archive_groups g SET status = 'in_progress', error_message = NULL
  FROM updated WHERE g.id = updated.group_id AND g.status <> 'in_progress'`;
const UPDATE_COUNTS = 'UPDATE archives SET log_count = $2, size_bytes = $3 WHERE id = $1';
/** Also sets a record to `restoring` again that the server reset during our job. */
const UPDATE_RESTORE = `UPDATE archives SET restore_lines_sent = $2, status = 'restoring'
  WHERE id = $1 AND status IN ('completed', 'restoring')`;
const UPDATE_RESTORE_LINES = 'UPDATE archives SET restore_lines_sent = $2 WHERE id = $1';

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';
const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';

/** The server's records. Connects on the first query. */
export async function connectCatalog(connection: PostgresConnection): Promise<Catalog> {
  return new PostgresCatalog(await PostgresPool.open(connection));
}

/** Each write is one transaction. */
class PostgresCatalog implements Catalog {
  readonly #pool: PostgresPool;
  #shape: RecordsShape | undefined;
  /** Pending updates by archive: one that arrives late would overwrite the final status. */
  readonly #updates = new Map<string, Promise<unknown>>();

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  serverVersion(options?: CallOptions) {
    return read.serverVersion(this.#pool, options);
  }

  async shape(options: ShapeOptions = {}): Promise<RecordsShape> {
    if (this.#shape && !options.again) return this.#shape;
    const shape = await readRecordsShape(this.#pool, options);
    requireKnownVersion(shape.console_version);
    // Another process, such as a job of the console, may create our tables at any time.
    this.#shape = locationOf(shape) === 'none' ? undefined : shape;
    return shape;
  }

  fractals(options?: CallOptions) {
    return this.#read((location) => read.listFractals(this.#pool, location, options), options);
  }

  groups(filter: { fractal_id?: string } = {}, options?: CallOptions) {
    return this.#read(
      async (location) => (location === 'none' ? [] : read.listGroups(this.#pool, filter, options)),
      options,
    );
  }

  archives(filter: { fractal_id?: string; ids?: string[] } = {}, options?: CallOptions) {
    return this.#read(
      async (location) =>
        location === 'none' ? [] : read.listArchives(this.#pool, location, filter, options),
      options,
    );
  }

  serverArchive(options?: CallOptions) {
    const query = async () =>
      (await this.shape(options)).iceberg ? read.readServerArchive(this.#pool, options) : null;
    return this.#read(query, options);
  }

  ingestToken(fractal_id: string, options?: CallOptions) {
    return read.readIngestToken(this.#pool, fractal_id, options);
  }

  openArchive(archive: NewArchive, options?: CallOptions) {
    const insert = async (session: Session, location: 'server' | 'console') => {
      if (location === 'console') await write.rememberFractal(session, archive.fractal_id);
      return write.insertArchive(session, archive);
    };
    return this.#activate(archive.fractal_id, insert, options);
  }

  async reopenArchive(archive_id: string, options?: CallOptions): Promise<void> {
    const fractal_id = await this.#fractalOf(archive_id, options);
    await this.#activate(fractal_id, (session) => write.reopenArchive(session, archive_id), options);
  }

  updateProgress(
    archive_id: string,
    { log_count, size_bytes }: { log_count: number; size_bytes: number },
    options?: CallOptions,
  ): Promise<void> {
    return this.#update(UPDATE_PROGRESS, UPDATE_COUNTS, [archive_id, log_count, size_bytes], options);
  }

  async completeArchive(archive_id: string, result: ArchiveResult, options?: CallOptions): Promise<void> {
    await this.#endUpdates(archive_id);
    await this.#write((session) => write.completeArchive(session, archive_id, result), options);
  }

  async failArchive(archive_id: string, message: string, options?: CallOptions): Promise<void> {
    await this.#endUpdates(archive_id);
    await this.#write((session) => write.failArchive(session, archive_id, message), options);
  }

  closeGroup(
    group_id: string,
    outcome: { missing: number | null; message: string | null },
    options?: CallOptions,
  ): Promise<void> {
    return this.#write((session) => write.closeGroup(session, group_id, outcome), options);
  }

  adoptArchive(archive: AdoptedArchive, options?: CallOptions) {
    return this.#write(async (session, location) => {
      if (location === 'console') await write.rememberName(session, archive);
      return write.insertAdopted(session, location, archive);
    }, options);
  }

  async createFractal(fractal: NewFractal, options?: CallOptions): Promise<void> {
    const { fractal_columns } = await this.shape(options);
    await this.#write((session) => write.insertFractal(session, fractal, fractal_columns), options);
  }

  async dropArchive(archive_id: string, options?: CallOptions): Promise<void> {
    await this.#endUpdates(archive_id);
    await this.#write((session) => write.removeRecord(session, archive_id), options);
  }

  deleteArchive(archive_id: string, removeFile: () => Promise<void>): Promise<boolean> {
    return this.#write((session) => write.deleteArchive(session, archive_id, removeFile));
  }

  deleteGroup(group_id: string, options?: CallOptions): Promise<boolean> {
    return this.#write((session) => write.deleteGroup(session, group_id), options);
  }

  moveArchive(
    archive_id: string,
    location: { storage_type: 'disk' | 's3'; storage_path: string },
    options?: CallOptions,
  ): Promise<void> {
    return this.#write((session) => write.moveArchive(session, archive_id, location), options);
  }

  async beginRestore(archive_id: string, previous?: RestoreOutcome, options?: CallOptions): Promise<void> {
    if (previous) await this.#endUpdates(previous.archive_id);
    const fractal_id = await this.#fractalOf(archive_id, options);
    await this.#activate(fractal_id, (session) => write.beginRestore(session, archive_id, previous), options);
  }

  updateRestore(archive_id: string, lines: number, options?: CallOptions): Promise<void> {
    return this.#update(UPDATE_RESTORE, UPDATE_RESTORE_LINES, [archive_id, lines], options);
  }

  async endRestore(outcome: RestoreOutcome, options?: CallOptions): Promise<void> {
    await this.#endUpdates(outcome.archive_id);
    await this.#write((session) => write.endRestore(session, outcome), options);
  }

  setSchedule(fractal_id: string, schedule: ArchiveSchedule, options?: CallOptions): Promise<void> {
    return this.#write(
      (session, location) => write.setSchedule(session, location, fractal_id, schedule),
      options,
    );
  }

  copyRecords(options?: CallOptions): Promise<void> {
    // The database may have been replaced, or upgraded.
    this.#shape = undefined;
    return this.#read(async (location) => {
      if (location !== 'server') return;
      await this.#prepare(options);
      await copyServerRecords(this.#pool, options);
    }, options);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Runs a query. If the server was upgraded since the shape was read, reads it again. */
  async #read<T>(work: (location: read.RecordsLocation) => Promise<T>, options?: CallOptions): Promise<T> {
    const location = await this.#location(options);
    try {
      return await work(location);
    } catch (error) {
      if (!isOtherShape(error)) throw error;
      this.#shape = undefined;
      return work(await this.#location(options));
    }
  }

  async #location(options?: CallOptions): Promise<read.RecordsLocation> {
    return locationOf(await this.shape(options));
  }

  /** Runs a transaction. Creates our own tables first if the records are ours. */
  async #write<T>(
    work: (session: Session, location: 'server' | 'console') => Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    if ((await this.shape(options)).archives === 'console') await this.#prepare(options);
    return this.#read(
      (location) =>
        this.#pool.transaction(
          (session) => work(session, location === 'server' ? 'server' : 'console'),
          options,
        ),
      options,
    );
  }

  /** Creates or migrates our own tables. */
  async #prepare(options?: CallOptions): Promise<void> {
    if (!mustPrepare((await this.shape(options)).console_version)) return;
    await prepareOwnRecords(this.#pool);
    this.#shape = undefined;
    await this.shape(options);
  }

  async #fractalOf(archive_id: string, options?: CallOptions): Promise<string> {
    const [record] = await this.archives({ ids: [archive_id] }, options);
    if (!record) throw write.recordGone(archive_id);
    return record.fractal_id;
  }

  /** Starts an operation on a fractal. A unique index of the database allows only one at a time: `BUSY`. */
  async #activate<T>(
    fractal_id: string,
    start: (session: Session, location: 'server' | 'console') => Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    try {
      return await this.#write(start, options);
    } catch (error) {
      if (violates(FOREIGN_KEY_VIOLATION, error)) throw write.noFractal(fractal_id);
      if (!violates(UNIQUE_VIOLATION, error)) throw error;
      const active = await this.#pool.transaction(
        (session) => read.describeActive(session, fractal_id),
        options,
      );
      throw new BifractError('BUSY', active, {
        hint: 'Wait until it has finished, then try again.',
        cause: error,
      });
    }
  }

  /** Updates counts and status; only the counts if another operation is active on the fractal. */
  async #update(
    sql: string,
    countsOnly: string,
    values: [archive_id: string, ...counts: number[]],
    options?: CallOptions,
  ): Promise<void> {
    const [archive_id] = values;
    // Registered before anything is awaited: the end of the archive waits for it.
    const update = (statement: string) =>
      this.#read(() => this.#pool.query(statement, values, options), options);
    const updating = update(sql).catch((error: unknown) => {
      if (!violates(UNIQUE_VIOLATION, error)) throw error;
      return update(countsOnly);
    });
    const previous = this.#updates.get(archive_id);
    this.#updates.set(archive_id, Promise.allSettled([previous, updating]));
    await updating;
  }

  async #endUpdates(archive_id: string): Promise<void> {
    await this.#updates.get(archive_id);
    this.#updates.delete(archive_id);
  }
}

function locationOf({ archives, console_version }: RecordsShape): read.RecordsLocation {
  if (archives === 'server') return 'server';
  return console_version === null ? 'none' : 'console';
}

/** Whether a table or column is missing: the server was upgraded. */
function isOtherShape(error: unknown): boolean {
  return violates(UNDEFINED_TABLE, error) || violates(UNDEFINED_COLUMN, error);
}

function violates(constraint: string, error: unknown): boolean {
  return sqlState(error instanceof BifractError ? error.cause : error) === constraint;
}
