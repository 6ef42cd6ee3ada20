import { BifractError } from '../../contract/errors.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Timestamp } from '../../ports/types.ts';

/** Measured properties of a file; null if not measured. */
export interface Measured {
  size_bytes: number;
  checksum: string | null;
  rows: number | null;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Null if the file does not contain it. */
  fractal_id: string | null;
  sealed: boolean;
}

const HINT = 'The file or the record was changed, or they do not belong together. Compare with another copy.';
const SECOND = 19;

/**
 * Compares a file with its completed record. Throws `RECORD_DIFFERS`, `COUNT_DIFFERS`, `CHECKSUM_DIFFERS`.
 */
export function compareWithRecord(record: ArchiveRecord, file: Measured): void {
  const { fractal_id, size_bytes, log_count, checksum } = record;
  if (file.fractal_id !== null && file.fractal_id !== fractal_id) {
    throw differs(`the file is of fractal ${file.fractal_id}, the record of ${fractal_id}`);
  }
  if (file.size_bytes !== size_bytes) {
    throw differs(`the file has ${file.size_bytes} bytes, the record says ${size_bytes}`);
  }
  if (file.rows !== null && file.rows !== log_count) {
    throw new BifractError('COUNT_DIFFERS', `The file has ${file.rows} rows, the record says ${log_count}`, {
      hint: HINT,
    });
  }
  if (file.checksum !== null && checksum && file.checksum !== checksum.toLowerCase()) {
    throw new BifractError(
      'CHECKSUM_DIFFERS',
      `The SHA-256 of the file is ${file.checksum}, the record says ${checksum}`,
      {
        hint: HINT,
      },
    );
  }
  compareRange(record, file);
}

/**
 * Files of this program have the same time range as their record, to the millisecond. The server may record
 * the requested range in whole seconds; then the rows must lie within it.
 */
function compareRange({ time_range_start: start, time_range_end: end }: ArchiveRecord, file: Measured): void {
  const { first, last, sealed } = file;
  if (first === null || last === null || start === null || end === null) return;
  const agrees = sealed
    ? isSame(start, first) && isSame(end, last)
    : start.slice(0, SECOND) <= first.slice(0, SECOND) && last.slice(0, SECOND) <= end.slice(0, SECOND);
  if (!agrees) throw differs(`the rows are from ${first} to ${last}, the record says ${start} to ${end}`);
}

/** The database rounds to microseconds. */
function isSame(one: Timestamp, other: Timestamp): boolean {
  return Math.abs(Date.parse(one) - Date.parse(other)) <= 1;
}

function differs(what: string): BifractError {
  return new BifractError('RECORD_DIFFERS', `File and record differ: ${what}`, { hint: HINT });
}
