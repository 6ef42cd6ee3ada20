import type { ArchiveRecord } from '../ports/catalog.ts';
import type { LogPiece } from '../ports/log-database.ts';

/** A row that is dated so shortly before an archive was begun may have become visible just after. */
export const ARRIVAL_MS = 60_000;

/** What a whole archive holds: every row of a stretch of time that was there when it was made. Unix times, ms. */
export interface Claim {
  archive_id: string;
  /** Time of its first row. */
  from: number;
  /** Just after its last row. */
  to: number;
  /** When it was begun: rows that came in later are not in it. */
  until: number;
  rows: number;
}

/** A stretch of time, and which claim speaks for it: the one made last of those that cover it. */
export interface ClaimedPiece extends LogPiece {
  /** Index of the claim; -1 where none covers it. */
  claim: number;
}

/**
 * What the record of an archive proves; undefined where it proves nothing. The times of its first and last row bound
 * it, not what it was asked for: beyond them it holds no row in any case.
 */
export function claimOf(record: ArchiveRecord): Claim | undefined {
  const { id, status, time_range_start, time_range_end, log_count, created_at } = record;
  if (status !== 'completed' && status !== 'restoring') return undefined;
  if (time_range_start === null || time_range_end === null || log_count <= 0) return undefined;
  const claim = {
    archive_id: id,
    from: Date.parse(time_range_start),
    to: Date.parse(time_range_end) + 1,
    until: Date.parse(created_at),
    rows: log_count,
  };
  return claim.from < claim.to && Number.isFinite(claim.until) ? claim : undefined;
}

/** Time cut at every beginning and end of a claim, from the first beginning on; the last piece has no end. */
export function cutPieces(claims: readonly Claim[]): ClaimedPiece[] {
  const starts = [...new Set(claims.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const indexes = new Map(starts.map((start, index) => [start, index]));
  const owners = new Int32Array(starts.length).fill(-1);
  const byAge = claims.map((claim, index) => ({ claim, index }));
  byAge.sort((a, b) => a.claim.until - b.claim.until);
  for (const { claim, index } of byAge) {
    owners.fill(index, indexes.get(claim.from), indexes.get(claim.to));
  }
  return starts.map((from, index) => {
    const claim = owners[index] ?? -1;
    return { from, until: claims[claim]?.until ?? null, claim };
  });
}
