import type { ArchiveRecord } from '../ports/catalog.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';
import type { ErrorReport } from './errors.ts';

/** Description of a file, without reading all of it. */
export interface FileReport {
  /** Full path, or S3 key with its bucket. */
  path: string;
  name: string;
  storage_type: 'disk' | 's3' | 'memory';
  size_bytes: number;
  kind: 'backup' | 'archive';
  /** Fingerprint of the key it is encrypted with. */
  key_id: string;
  /** Whether it has a header and a trailer, which prove that it is complete. */
  sealed: boolean;
  uuid: string | null;
  /** Program that wrote it. */
  tool: string | null;
  created_at: Timestamp | null;
  fractal: { id: string; name: string | null } | null;
  period: string | null;
  split: string | null;
  /** Whether archive rows include the parsed fields; null if unknown. */
  fields: boolean | null;
  rows: number | null;
  content_bytes: number | null;
  content_sha256: string | null;
  first: Timestamp | null;
  last: Timestamp | null;
  frames: number | null;
  /** Content of the manifest of a backup. */
  backup: {
    version: string;
    timestamp: Timestamp;
    server_version: string | null;
    pg_dump_version: string | null;
    database: string | null;
    tables: { schema: string; name: string; rows: number }[] | null;
    /** Names of the `.env` variables in the manifest, never their values. */
    variables: string[];
  } | null;
  /** Record of the archive, if any. */
  record: ArchiveRecord | null;
  /** Remarks for the user, one sentence each. */
  notes: string[];
}

/** Verification result of one target. */
export interface VerifyItem {
  target: string;
  path: string;
  kind: 'backup' | 'archive' | null;
  ok: boolean;
  sealed: boolean | null;
  /**
   * Whether completeness is proven: by header and trailer, or by a record with matching checksum and count.
   * Never by a quick verification.
   */
  proven: boolean;
  size_bytes: number;
  rows: number | null;
  content_bytes: number | null;
  /** SHA-256 of the stored bytes, hex; null for a quick verification. */
  checksum: string | null;
  notes: string[];
  error?: ErrorReport;
}

/** A row of an archive for the browser. */
export interface BrowsedRow {
  /** Position in the archive, from 0. */
  index: number;
  /** Null if the line has none; also `ingest_timestamp`. */
  ts: Timestamp | null;
  id: string;
  /** The log line: invalid UTF-8 as replacement characters, at most 1 MiB. */
  raw: string;
  /** Size of the full log line, bytes. */
  raw_bytes: number;
  /** Parsed fields as JSON text, at most 1 MiB; null if the archive has none. */
  fields: string | null;
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
  close(): Promise<void>;
}

/** A literal (case-insensitive unless it contains a capital) or a regular expression. */
export type SearchPattern = { text: string } | { regex: string; flags?: string };

export interface SearchQuery {
  targets: string[];
  pattern: SearchPattern;
  /** From (included) and to (excluded). */
  from?: Timestamp;
  to?: Timestamp;
}

/** A matching row: its NDJSON line as stored, without newline. */
export interface SearchHit {
  target: string;
  path: string;
  line: Buffer;
}

/** An archive file without a record, described by its own content. */
export interface AdoptItem {
  /** Name in the storage of archives: the record's `storage_path`. */
  path: string;
  size_bytes: number;
  fractal: { id: string; name: string | null } | null;
  /** Whether that fractal exists now. */
  fractal_known: boolean;
  /** Whether to create the fractal with the id and name from the file; only with consent. */
  create_fractal: boolean;
  /** A failed record of the same file, which is corrected instead of adding one. */
  archive_id: string | null;
  /** Null if only reading the full file would tell. */
  rows: number | null;
  first: Timestamp | null;
  last: Timestamp | null;
  period: string | null;
  split: string;
  created_at: Timestamp;
  /** `adopt`: add a record once the file is verified; `skip`: do not, for the given reason. */
  action: 'adopt' | 'skip';
  reason: string;
}

export interface AdoptPlan {
  items: AdoptItem[];
}

/** A file without a record, a record without a file, or an unfinished object of an interrupted run. */
export interface Orphan {
  kind: 'file' | 'record' | 'leftover';
  /** Storage that holds it or should hold it. */
  place: 'backups' | 'archives';
  /** Path of the file, id of the record, or storage handle of the unfinished object. */
  id: string;
  /** Description for people. */
  title: string;
  path: string;
  size_bytes: number;
  since: Timestamp | null;
  fractal_name: string | null;
  /**
   * Available actions: add a record, mark the record as failed, remove the object. Empty if it may belong to
   * another machine or to the server, or if something else must be fixed first.
   */
  actions: ('adopt' | 'fail_record' | 'discard')[];
  /** Set if the same archive request would resume from it. */
  goes_on?: boolean;
}

/** Jobs on existing files. */
export type FileJobRequest =
  | {
      kind: 'verify';
      /** Files and archive record ids; `all`: every backup and every completed archive. */
      targets: string[] | 'all';
      /** Check only size, header and trailer. */
      quick?: boolean;
    }
  | { kind: 'adopt'; plan: AdoptPlan }
  | { kind: 'clean'; orphans: Orphan[] };

/** Queries about existing files. */
export interface FileQueries {
  /** Describes a file, or the file of an archive record, with a few small reads. */
  show(target: string, options?: CallOptions): Promise<FileReport>;
  /** Matching rows of archives, in order of targets and rows. Frames outside the time window are not read. */
  search(query: SearchQuery, options?: CallOptions): AsyncIterable<SearchHit>;
  /** Opens an archive for random access. */
  browse(target: string, options?: CallOptions): Promise<ArchiveBrowser>;
  /**
   * Plans the adoption of archive files without a record, or of those given. `create_fractals`: the user
   * agrees to recreate missing fractals.
   */
  planAdopt(files?: string[], options?: CallOptions & { create_fractals?: boolean }): Promise<AdoptPlan>;
  /** Orphaned files and records, and unfinished objects. Reads no file. */
  orphans(options?: CallOptions): Promise<Orphan[]>;
}
