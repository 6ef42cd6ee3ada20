import { BifractError } from '../errors.ts';
import type { ArchiveRecord } from '../ports/catalog.ts';
import type { Timestamp } from '../ports/types.ts';

/** What was found out about a file; null for what was not. */
export interface Measured {
  size_bytes: number;
  checksum: string | null;
  rows: number | null;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Of a file that tells it. */
  fractal_id: string | null;
  sealed: boolean;
}

const HINT =
  'The file is not the one that its record was written for, or one of the two was changed. Compare with another copy.';
const SECOND = 19;

/** Throws where a file is not what its completed record says: `RECORD_DIFFERS`, `COUNT_DIFFERS`, `CHECKSUM_DIFFERS`. */
export function compareWithRecord(record: ArchiveRecord, file: Measured): void {
  const { fractal_id, size_bytes, log_count, checksum } = record;
  if (file.fractal_id !== null && file.fractal_id !== fractal_id) {
    throw differs(`the file holds rows of fractal ${file.fractal_id}, its record is of ${fractal_id}`);
  }
  if (file.size_bytes !== size_bytes) {
    throw differs(`the file has ${file.size_bytes} bytes, its record says ${size_bytes}`);
  }
  if (file.rows !== null && file.rows !== log_count) {
    throw new BifractError(
      'COUNT_DIFFERS',
      `The file holds ${file.rows} rows, its record says ${log_count}`,
      {
        hint: HINT,
      },
    );
  }
  if (file.checksum !== null && checksum && file.checksum !== checksum.toLowerCase()) {
    throw new BifractError(
      'CHECKSUM_DIFFERS',
      `The file's SHA-256 is ${file.checksum}, its record says ${checksum}`,
      {
        hint: HINT,
      },
    );
  }
  compareRange(record, file);
}

/**
 * The range of a file of ours is its record's to the millisecond. The server may note the range that was asked
 * for, and in whole seconds: there the rows must lie within it.
 */
function compareRange({ time_range_start: start, time_range_end: end }: ArchiveRecord, file: Measured): void {
  const { first, last, sealed } = file;
  if (first === null || last === null || start === null || end === null) return;
  const agrees = sealed
    ? isSame(start, first) && isSame(end, last)
    : start.slice(0, SECOND) <= first.slice(0, SECOND) && last.slice(0, SECOND) <= end.slice(0, SECOND);
  if (!agrees)
    throw differs(`the file's rows are of ${first} to ${last}, its record says ${start} to ${end}`);
}

/** The database rounds to microseconds. */
function isSame(one: Timestamp, other: Timestamp): boolean {
  return Math.abs(Date.parse(one) - Date.parse(other)) <= 1;
}

function differs(what: string): BifractError {
  return new BifractError('RECORD_DIFFERS', `The file and its record differ: ${what}`, { hint: HINT });
}
