import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { LogSpan } from '../../ports/log-database.ts';

/** Rows with a timestamp this close to the start of an archive may have become visible after it. */
export const INGEST_DELAY_MS = 60_000;

/**
 * What a complete archive proves: it holds every row in a time range that existed when it was made. Unix times, ms.
 */
export interface ArchiveEvidence {
  archive_id: string;
  /** Time of its first row. */
  from: number;
  /** Just after its last row. */
  to: number;
  /** When it was started: rows ingested later are not in it. */
  until: number;
  rows: number;
}

/** A time range, and the newest archive that covers it. */
export interface EvidencePiece extends LogSpan {
  /** Index of the evidence; -1 if no archive covers it. */
  evidence_index: number;
}

/**
 * What the record of an archive proves; undefined if nothing. The range is that of its rows, not the requested one:
 * outside of it, the archive has no rows anyway.
 */
export function evidenceOf(record: ArchiveRecord): ArchiveEvidence | undefined {
  const { id, status, time_range_start, time_range_end, log_count, created_at } = record;
  if (status !== 'completed' && status !== 'restoring') return undefined;
  if (time_range_start === null || time_range_end === null || log_count <= 0) return undefined;
  const entry = {
    archive_id: id,
    from: Date.parse(time_range_start),
    to: Date.parse(time_range_end) + 1,
    until: Date.parse(created_at),
    rows: log_count,
  };
  return entry.from < entry.to && Number.isFinite(entry.until) ? entry : undefined;
}

/** Splits time at every start and end of an archive, from the first start on; the last piece has no end. */
export function cutPieces(evidence: readonly ArchiveEvidence[]): EvidencePiece[] {
  const starts = [...new Set(evidence.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const indexes = new Map(starts.map((start, index) => [start, index]));
  const owners = new Int32Array(starts.length).fill(-1);
  const oldestFirst = evidence.map((entry, index) => ({ entry, index }));
  oldestFirst.sort((a, b) => a.entry.until - b.entry.until);
  for (const { entry, index } of oldestFirst) {
    owners.fill(index, indexes.get(entry.from), indexes.get(entry.to));
  }
  return starts.map((from, index) => {
    const evidence_index = owners[index] ?? -1;
    return { from, until: evidence[evidence_index]?.until ?? null, evidence_index };
  });
}
