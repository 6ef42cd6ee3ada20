import type { BrowsedRow, ErrorReport, FileReport, JobRequest } from '../../core/index.ts';

/** Result of the last verification of a file in this session. */
export interface VerificationResult {
  /** Milliseconds since the epoch. */
  at: number;
  ok: boolean;
  /** Only the size, the header and the trailer were checked. */
  quick: boolean;
  message: string;
  hint?: string;
}

/** The periods an archive is split into. */
export type ArchiveSplit = NonNullable<Extract<JobRequest, { kind: 'archive' }>['split']>;

/** A fractal queued for archiving. */
export interface QueuedArchive {
  id: string;
  fractal_id: string;
  fractal_name: string;
  /** The fractal's own setting if absent. */
  split?: ArchiveSplit;
  /** When it was queued, milliseconds since the epoch. */
  at: number;
}

/** A row in the list of rows: as much of it as fits on one line. */
export interface RowLine {
  index: number;
  ts: string | null;
  /** Sanitized and cut to one line. */
  line: string;
}

/** Consecutive rows, or the reason they cannot be read. */
export type RowChunk = readonly RowLine[] | ErrorReport;

/** A search, as typed and as passed to the engine. */
export interface Search {
  input: string;
  pattern: { text: string } | { regex: string; flags: string };
}

/** A search or a jump in progress; it can be stopped. */
export interface BrowseWork {
  description: string;
  since: number;
}

/** An archive open for browsing. */
export interface BrowseState {
  target: string;
  opening: boolean;
  error?: ErrorReport;
  report?: FileReport;
  /** Total number of rows; the rows read so far while `complete` is false. */
  rows: number;
  complete: boolean;
  /** Chunks of rows by number: the visible ones and a few around them. */
  chunks: ReadonlyMap<number, RowChunk>;
  work?: BrowseWork;
  search?: Search;
  /** The row shown in full. */
  detail?: { index: number; row?: BrowsedRow; error?: ErrorReport };
}
