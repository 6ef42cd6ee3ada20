import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError, BifractError } from '../errors.ts';
import type { FileSummary } from '../format/index.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { JobContext } from './context.ts';

const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15000];

/**
 * Completes the record of a file that is whole and durable. PostgreSQL may restart just now: tries again for
 * half a minute before giving up, and then says that the file is good.
 */
export async function closeRecord(
  catalog: Catalog,
  archive_id: string,
  file: FileSummary & { storage_path: string },
  context: Pick<JobContext, 'emit'>,
): Promise<void> {
  const result = {
    size_bytes: file.size_bytes,
    log_count: file.rows,
    time_range_start: file.first,
    time_range_end: file.last,
    checksum: file.checksum,
  };
  try {
    await insist(() => catalog.completeArchive(archive_id, result), context);
  } catch (error) {
    throw recordLost(`The archive ${file.storage_path} is whole`, 'its record', asBifractError(error));
  }
}

/** Writes to the catalog, again and again for half a minute where PostgreSQL does not answer. */
export async function insist(write: () => Promise<void>, { emit }: Pick<JobContext, 'emit'>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const wait_ms = WAITS_MS[attempt];
      const { code, message } = asBifractError(error);
      if (wait_ms === undefined || code !== 'POSTGRES_UNREACHABLE') throw error;
      emit('job:retry', { attempt: attempt + 1, wait_ms, reason: message });
      await wait(wait_ms);
    }
  }
}

/** That the files are good although the catalog could not be told. */
export function recordLost(whole: string, record: string, cause: BifractError): BifractError {
  return new BifractError('RECORD_LOST', `${whole} but ${record} could not be written: ${cause.message}`, {
    hint: 'Nothing is lost. Once PostgreSQL answers, the next job, or opening the console, completes the record.',
    cause,
  });
}

/**
 * Marks a record failed for `error`, where the catalog can be reached: false where it cannot, or where the
 * file is whole and only its record is missing. Never throws: what stands in the way must not hide `error`.
 */
export async function failRecord(catalog: Catalog, archive_id: string, error: unknown): Promise<boolean> {
  const { code, message } = asBifractError(error);
  if (code === 'RECORD_LOST') return false;
  return catalog.failArchive(archive_id, message).then(
    () => true,
    () => false,
  );
}
