import type { CallOptions, Timestamp } from './types.ts';

/** What a storage is used for. */
export type StorageKind = 'backups' | 'archives';

/** The storages of an installation. */
export interface Storages {
  /** The storages that the settings select. */
  backups(): Promise<Storage>;
  archives(): Promise<Storage>;
  /** The storage of a type, selected or not; undefined if it is not configured. */
  storageOf(kind: StorageKind, type: 'disk' | 's3'): Promise<Storage | undefined>;
}

/** A complete object in storage. */
export interface StoredObject {
  /** Relative name, with `/` as separator, inside the root of the storage. */
  name: string;
  size_bytes: number;
  modified_at: Timestamp;
}

/** What a killed process left in storage. Not listed by `list`. */
export interface UnfinishedObject {
  /** The storage's own id for it. */
  id: string;
  /** Name of the object it would have become. */
  name: string;
  /** The job that wrote it, if the storage could record that. */
  job: string | undefined;
  size_bytes: number;
  started_at: Timestamp;
}

export interface PutOptions extends CallOptions {
  /** Id of the writing job, stored with the unfinished object to tell abandoned objects from those in progress. */
  job?: string;
  /** Estimated size in bytes, for part sizes and free-space checks. */
  expected_bytes?: number;
  /**
   * Whether to keep the unfinished object if writing fails. Only for storages that can read unfinished objects.
   */
  keepUnfinished?(): boolean;
  /** Called if writing failed and the unfinished object could not be removed: a later job has to. */
  onLeft?(): void;
}

export interface ListOptions extends CallOptions {
  /** Called for each entry that is there but cannot be examined. Such entries are left out of the list. */
  onUnreadable?(name: string, reason: string): void;
}

export interface StorageHealth {
  ok: boolean;
  /** For display: what works or what does not. */
  detail: string;
  free_bytes?: number;
}

/**
 * Stores files as objects. Every adapter passes `test/contracts/storage.ts`.
 *
 * Errors are `BifractError`s: `NOT_FOUND`, `EXISTS`, `STORAGE_FULL`, `STORAGE_UNREACHABLE`,
 * `STORAGE_DENIED`, `STORAGE_FAILED`, and `USAGE` for an invalid name;
 * after an abort, the signal's reason.
 */
export interface Storage {
  readonly kind: 'disk' | 's3';
  /** For display: the folder, or `s3://bucket at endpoint`. */
  readonly location: string;

  /**
   * Stores `content` under `name` atomically: the object appears complete and durable, or not at all if the content
   * throws, the signal aborts or the storage fails. Never replaces an existing object (`EXISTS`).
   */
  put(name: string, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredObject>;

  /** Undefined if there is no such object. */
  stat(name: string, options?: CallOptions): Promise<StoredObject | undefined>;

  /** The bytes `offset … offset+length`, fewer only at the end of the object. */
  read(name: string, offset: number, length: number, options?: CallOptions): Promise<Buffer>;

  /** All bytes from `offset` (default 0) on. */
  stream(name: string, options?: CallOptions & { offset?: number }): AsyncIterable<Buffer>;

  /** Complete objects whose name begins with `prefix`, sorted by name. */
  list(prefix: string, options?: ListOptions): AsyncIterable<StoredObject>;

  /** False if there was no such object. */
  delete(name: string, options?: CallOptions): Promise<boolean>;

  /**
   * Renames an object durably and atomically, replacing the one at `to`: one of the two is always there. Not supported
   * by every storage.
   */
  replace?(from: string, to: string, options?: CallOptions): Promise<void>;

  listUnfinished(options?: CallOptions): AsyncIterable<UnfinishedObject>;
  /** The content of an unfinished object so far. Not supported by every storage. */
  readUnfinished?(unfinished: UnfinishedObject, options?: CallOptions): AsyncIterable<Buffer>;
  discardUnfinished(unfinished: UnfinishedObject, options?: CallOptions): Promise<void>;

  /**
   * Writes, reads, lists and deletes a small object below `prefix` (default: the root; also if that folder does not
   * exist). A failing storage is a result, not an error.
   */
  probe(options?: CallOptions & { prefix?: string }): Promise<StorageHealth>;
}
