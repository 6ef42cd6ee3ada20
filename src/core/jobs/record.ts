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
  { emit }: Pick<JobContext, 'emit'>,
): Promise<void> {
  const result = {
    size_bytes: file.size_bytes,
    log_count: file.rows,
    time_range_start: file.first,
    time_range_end: file.last,
    checksum: file.checksum,
  };
  for (let attempt = 0; ; attempt++) {
    try {
      return await catalog.completeArchive(archive_id, result);
    } catch (error) {
      const wait_ms = WAITS_MS[attempt];
      const cause = asBifractError(error);
      if (wait_ms === undefined || cause.code !== 'POSTGRES_UNREACHABLE')
        throw recordLost(file.storage_path, cause);
      emit('job:retry', { attempt: attempt + 1, wait_ms, reason: cause.message });
      await wait(wait_ms);
    }
  }
}

function recordLost(path: string, cause: BifractError): BifractError {
  return new BifractError(
    'RECORD_LOST',
    `The archive ${path} is whole but its record could not be written: ${cause.message}`,
    {
      hint: 'The file was kept. Once PostgreSQL answers, the next job, or opening the console, completes its record.',
      cause,
    },
  );
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
