import type { BrowsedRow, ErrorReport, FileReport, JobRequest } from '../../core/index.ts';

/** How the last verification of a file came out, in this session. */
export interface Verdict {
  /** When, ms since the epoch. */
  at: number;
  ok: boolean;
  /** Only size, ends and trailer were looked at. */
  quick: boolean;
  message: string;
  hint?: string;
}

/** Into which periods an archive is cut. */
export type ArchiveSplit = NonNullable<Extract<JobRequest, { kind: 'archive' }>['split']>;

/** A fractal that waits for its turn to be archived. */
export interface QueuedArchive {
  id: string;
  fractal_id: string;
  fractal_name: string;
  /** How it is cut; as the fractal is set where absent. */
  split?: ArchiveSplit;
  /** Since when, ms since the epoch. */
  at: number;
}

/** A row as the list of rows keeps it: what fits on a line, whatever the length of the whole. */
export interface RowLine {
  index: number;
  ts: string | null;
  /** Sanitized: one line, cut. */
  line: string;
}

/** Consecutive rows, or why they cannot be read. */
export type RowChunk = readonly RowLine[] | ErrorReport;

/** What a search looks for, as it was typed and as the engine takes it. */
export interface Search {
  typed: string;
  pattern: { text: string } | { regex: string; flags: string };
}

/** Something that takes its time and can be stopped: a search, a jump. */
export interface BrowseWork {
  what: string;
  since: number;
}

/** An archive that is open for reading. */
export interface BrowseState {
  target: string;
  opening: boolean;
  error?: ErrorReport;
  report?: FileReport;
  /** Rows in all; those seen so far while `complete` is false. */
  rows: number;
  complete: boolean;
  /** Chunks of rows by their number: those that are shown and a few more. */
  chunks: ReadonlyMap<number, RowChunk>;
  work?: BrowseWork;
  search?: Search;
  /** The row that is shown in full. */
  detail?: { index: number; row?: BrowsedRow; error?: ErrorReport };
}
