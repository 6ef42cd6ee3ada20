import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { FileSummary } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import type { Catalog } from '../../ports/catalog.ts';

const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15000];

/**
 * Completes the record of a durable file. Retries for half a minute if PostgreSQL does not answer, then throws an
 * error that says the file is intact.
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
    await writeWithRetry(() => catalog.completeArchive(archive_id, result), context);
  } catch (error) {
    throw recordLost(`The archive ${file.storage_path} is complete`, 'its record', asBifractError(error));
  }
}

/** Writes to the catalog; retries for half a minute if PostgreSQL does not answer. */
export async function writeWithRetry(
  write: () => Promise<void>,
  { emit }: Pick<JobContext, 'emit'>,
): Promise<void> {
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

/** The files are intact, but the catalog could not be updated. */
export function recordLost(intact: string, record: string, cause: BifractError): BifractError {
  return new BifractError('RECORD_LOST', `${intact}, but ${record} could not be written: ${cause.message}`, {
    hint: 'No data is lost. The record is completed by the next job, or when the console is opened, once PostgreSQL answers.',
    cause,
  });
}

/**
 * Marks a record as failed with `error`. Returns false if the catalog cannot be reached, or if only the record of a
 * complete file is missing. Never throws: a second error must not hide the first.
 */
export async function failRecord(catalog: Catalog, archive_id: string, error: unknown): Promise<boolean> {
  const { code, message } = asBifractError(error);
  if (code === 'RECORD_LOST') return false;
  return catalog.failArchive(archive_id, message).then(
    () => true,
    () => false,
  );
}
