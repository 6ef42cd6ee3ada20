import type { RowText } from '../../format/index.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { FileReport } from '../inspect/contract.ts';

/** A row of an archive for the browser. */
export interface BrowsedRow {
  /** Position in the archive, from 0. */
  index: number;
  /** Null if the line has none; also `ingest_timestamp`. */
  ts: Timestamp | null;
  id: string;
  /**
   * The log line, or else the text that stands for it (`text_from`): invalid UTF-8 as replacement characters, at most
   * 1 MiB.
   */
  raw: string;
  /** Size of the full text, bytes. */
  raw_bytes: number;
  /** `raw`: the original line. If it was not kept, the text of the fields; null if there is none either. */
  text_from: RowText['from'];
  /** Parsed fields as JSON text, at most 1 MiB; null if the archive has none. */
  fields: string | null;
  /** Values of other columns as JSON text, at most 1 MiB; null if all are defaults. */
  cols: string | null;
  ingest_timestamp: Timestamp | null;
}

/** An archive opened for random access. The cost of a row does not depend on the archive size. */
export interface ArchiveBrowser {
  readonly report: FileReport;
  /**
   * Total rows. For a file without header and trailer: the rows read so far, with `complete` false until the
   * end is reached.
   */
  readonly rows: number;
  readonly complete: boolean;
  /** Rows `from … from+count`; fewer at the end. */
  read(from: number, count: number, options?: CallOptions): Promise<BrowsedRow[]>;
  /** Index of the first row at or after a time; `rows` if there is none. */
  at(time: Timestamp, options?: CallOptions): Promise<number>;
  /** Index of the nearest match, starting with row `from`; null if there is none. */
  find(
    pattern: SearchPattern,
    from: number,
    direction: 'next' | 'previous',
    options?: CallOptions,
  ): Promise<number | null>;
  /**
   * All matches of the archive, in order, as a pass of its own over the file: it does not disturb the other calls, and
   * leaves their cache alone. Ends early if the reader stops.
   */
  matches(pattern: SearchPattern, options?: CallOptions): AsyncIterable<MatchedRows>;
  close(): Promise<void>;
}

/** A matching row: its index, and its NDJSON line as stored, without newline. */
export interface MatchedRow {
  row: number;
  line: Buffer;
}

/** The matches in the next part of an archive; all rows before `searched` have been searched. */
export interface MatchedRows {
  matches: readonly MatchedRow[];
  searched: number;
}

/** A literal (case-insensitive unless it contains a capital) or a regular expression. */
export type SearchPattern = { text: string } | { regex: string; flags?: string };

export interface SearchQuery {
  targets: string[];
  pattern: SearchPattern;
  /** From (included) and to (excluded). */
  from?: Timestamp;
  to?: Timestamp;
  /** Called once for each target in which only the text of the fields of some rows could be searched. */
  onLinesMissing?: (target: string) => void;
}

/** A matching row: its NDJSON line as stored, without newline. */
export interface SearchHit {
  target: string;
  path: string;
  line: Buffer;
  /** What the pattern was found in: the original line, or the text of the fields if that was not kept. */
  text_from: RowText['from'];
}

/** Queries on the rows of archives. */
export interface SearchQueries {
  /** Matching rows of archives, in order of targets and rows. Frames outside the time window are not read. */
  search(query: SearchQuery, options?: CallOptions): AsyncIterable<SearchHit>;
  /** Opens an archive for random access. */
  browse(target: string, options?: CallOptions): Promise<ArchiveBrowser>;
}
