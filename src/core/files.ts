import type { ErrorReport } from './errors.ts';
import type { ArchiveRecord } from './ports/catalog.ts';
import type { CallOptions, Timestamp } from './ports/types.ts';

/** What a file is, told without reading all of it. */
export interface FileReport {
  /** Full path, or S3 key with its bucket. */
  path: string;
  name: string;
  storage_type: 'disk' | 's3' | 'memory';
  size_bytes: number;
  kind: 'backup' | 'archive';
  /** Fingerprint of the key that opens it. */
  key_id: string;
  /** Whether it has sealed ends, so that it can tell by itself that it is whole. */
  sealed: boolean;
  uuid: string | null;
  /** Program that wrote it, and when. */
  tool: string | null;
  created_at: Timestamp | null;
  fractal: { id: string; name: string | null } | null;
  period: string | null;
  split: string | null;
  /** Whether an archive's lines carry the parsed fields; null where that is not known. */
  fields: boolean | null;
  rows: number | null;
  content_bytes: number | null;
  content_sha256: string | null;
  first: Timestamp | null;
  last: Timestamp | null;
  frames: number | null;
  /** Of a backup: what its manifest tells. */
  backup: {
    version: string;
    timestamp: Timestamp;
    server_version: string | null;
    pg_dump_version: string | null;
    database: string | null;
    tables: { schema: string; name: string; rows: number }[] | null;
    /** Names of the `.env` variables that it carries; never their values. */
    variables: string[];
  } | null;
  /** The archive's record, where there is one. */
  record: ArchiveRecord | null;
  /** What a person should know, a sentence each: no sealed ends, differs from its record, … */
  notes: string[];
}

/** How one target of a verification came out. */
export interface VerifyItem {
  target: string;
  path: string;
  kind: 'backup' | 'archive' | null;
  ok: boolean;
  sealed: boolean | null;
  /**
   * Whether it is proven that nothing is missing: by sealed ends, or by a record whose checksum and count agree.
   * A quick verification proves it of no file.
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

/** A row of an archive, as the browser shows it. */
export interface BrowsedRow {
  /** Its place in the archive, from 0. */
  index: number;
  /** Null where the line has none; so is `ingest_timestamp`. */
  ts: Timestamp | null;
  id: string;
  /** The log line, for people: invalid UTF-8 shown as replacement characters, at most its first MiB. */
  raw: string;
  /** Bytes of the whole log line. */
  raw_bytes: number;
  /** The parsed fields as JSON text, at most a MiB of it; null where the archive holds none. */
  fields: string | null;
  ingest_timestamp: Timestamp | null;
}

/** An archive opened for reading at any row. A row's cost does not depend on the archive's size. */
export interface ArchiveBrowser {
  readonly report: FileReport;
  /** Rows in all; of a file without sealed ends only those seen so far, and `complete` is false until its end was seen. */
  readonly rows: number;
  readonly complete: boolean;
  /** Rows `from … from+count`, fewer at the end. */
  read(from: number, count: number, options?: CallOptions): Promise<BrowsedRow[]>;
  /** Index of the first row at or after a time; `rows` where there is none. */
  at(time: Timestamp, options?: CallOptions): Promise<number>;
  /** Index of the nearest row that matches, from `from` (included) on or back; null where there is none. */
  find(
    pattern: SearchPattern,
    from: number,
    direction: 'next' | 'previous',
    options?: CallOptions,
  ): Promise<number | null>;
  close(): Promise<void>;
}

/** What is looked for: a text as it is (case-insensitive where it has no capitals), or a regular expression. */
export type SearchPattern = { text: string } | { regex: string; flags?: string };

export interface SearchQuery {
  targets: string[];
  pattern: SearchPattern;
  /** From (included) and to (excluded). */
  from?: Timestamp;
  to?: Timestamp;
}

/** A matching row: its NDJSON line as stored, without the newline. */
export interface SearchHit {
  target: string;
  path: string;
  line: Buffer;
}

/** An archive file without a record, and what the file itself says it is. */
export interface AdoptItem {
  /** Name in the storage of archives: the record's `storage_path`. */
  path: string;
  size_bytes: number;
  fractal: { id: string; name: string | null } | null;
  /** Whether that fractal exists now. */
  fractal_known: boolean;
  /** Whether the fractal is made anew, with the id and name that the file tells: only on explicit consent. */
  create_fractal: boolean;
  /** A failed record of the same file, which is set right instead of a new one made. */
  archive_id: string | null;
  /** Null where only reading the whole file would tell. */
  rows: number | null;
  first: Timestamp | null;
  last: Timestamp | null;
  period: string | null;
  split: string;
  created_at: Timestamp;
  /** `adopt`: a record will be made once the file has proved whole; `skip`: it will not, for the reason given. */
  action: 'adopt' | 'skip';
  reason: string;
}

export interface AdoptPlan {
  items: AdoptItem[];
}

/** Something in storage or in the catalog that has lost its other half, or was left by a dead run. */
export interface Orphan {
  kind: 'file' | 'record' | 'leftover';
  /** Which storage it is in, or belongs in. */
  place: 'backups' | 'archives';
  /** Path of the file, id of the record, or the storage's handle of the leftover. */
  id: string;
  /** For people: what it is. */
  title: string;
  path: string;
  size_bytes: number;
  since: Timestamp | null;
  fractal_name: string | null;
  /**
   * What can be done: give the file a record; mark the record as failed; remove what is left. Empty where
   * it may belong to work of another machine or of the server, or where something else is wrong first.
   */
  actions: ('adopt' | 'fail_record' | 'discard')[];
  /** Set on what is left of an archive that the same call goes on with. */
  goes_on?: boolean;
}

/** Jobs on files that are there. */
export type FileJobRequest =
  | {
      kind: 'verify';
      /** Files and ids of archive records; `all` is every backup and every completed archive. */
      targets: string[] | 'all';
      /** Size, ends and trailer only. */
      quick?: boolean;
    }
  | { kind: 'adopt'; plan: AdoptPlan }
  | { kind: 'clean'; orphans: Orphan[] };

/** What can be asked of files that are there. */
export interface FileQueries {
  /** What a file or the file of an archive record is: a few small reads, however large it is. */
  show(target: string, options?: CallOptions): Promise<FileReport>;
  /** Matching rows of archives, in the order of targets and rows; frames outside the window are not read. */
  search(query: SearchQuery, options?: CallOptions): AsyncIterable<SearchHit>;
  /** Opens an archive for reading at any row. */
  browse(target: string, options?: CallOptions): Promise<ArchiveBrowser>;
  /**
   * Archive files that have no record, or those given, and what would be made of each. `create_fractals` is the
   * user's consent to make a fractal anew where a file's own is gone.
   */
  planAdopt(files?: string[], options?: CallOptions & { create_fractals?: boolean }): Promise<AdoptPlan>;
  /** What has lost its other half. Reads no file. */
  orphans(options?: CallOptions): Promise<Orphan[]>;
}
