import type { CallOptions, Timestamp } from './types.ts';

/** What a storage is asked to keep. */
export type Place = 'backups' | 'archives';

/** The storages of an installation. */
export interface Storages {
  /** The installation's own, by its settings. */
  backups(): Promise<Storage>;
  archives(): Promise<Storage>;
  /** The one of a kind, whether or not it is the installation's own; undefined where the settings name none. */
  stored(place: Place, type: 'disk' | 's3'): Promise<Storage | undefined>;
}

/** A whole object in storage. */
export interface StoredObject {
  /** Relative name with `/` between its parts, never leaving the storage's root. */
  name: string;
  size_bytes: number;
  modified_at: Timestamp;
}

/** What a run that was killed left in storage; never part of a listing. */
export interface Leftover {
  /** The storage's own handle for it, for `discard`. */
  id: string;
  /** The object it was to become. */
  name: string;
  /** The job that wrote it, where the storage could keep that. */
  job: string | undefined;
  size_bytes: number;
  started_at: Timestamp;
}

export interface PutOptions extends CallOptions {
  /** Id of the writing job: kept with the unfinished object, so that leftovers can be told from live work. */
  job?: string;
  /** A guess at the final size in bytes, for part sizes and free-space checks. */
  expected_bytes?: number;
  /**
   * Whether what was stored by then is to stay as a leftover, should an error end the writing. Only where the storage
   * can read such a thing (`unfinished`).
   */
  keep?(): boolean;
}

export interface StorageHealth {
  ok: boolean;
  /** One sentence for people: what works or what does not. */
  detail: string;
  free_bytes?: number;
}

/**
 * Where files live. Every adapter passes `test/contracts/storage.ts`.
 *
 * Errors are `BifractError`s: `NOT_FOUND`, `EXISTS`, `STORAGE_FULL`, `STORAGE_UNREACHABLE`,
 * `STORAGE_DENIED`, `STORAGE_FAILED`, and `USAGE` for what cannot be a name;
 * after an abort, the signal's reason.
 */
export interface Storage {
  readonly kind: 'disk' | 's3' | 'memory';
  /** For people: the folder, or `s3://bucket at endpoint`. */
  readonly location: string;

  /**
   * Stores what `content` yields under `name`, all or nothing: the object appears whole and durable, or, when
   * the content throws, the signal aborts or the storage fails, not at all. An existing object is never
   * replaced (`EXISTS`).
   */
  put(name: string, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredObject>;

  /** The object's description, or undefined where there is none. */
  stat(name: string, options?: CallOptions): Promise<StoredObject | undefined>;

  /** Exactly the bytes `offset … offset+length`, fewer only where the object ends. */
  read(name: string, offset: number, length: number, options?: CallOptions): Promise<Buffer>;

  /** All bytes from `offset` (default 0), in pieces. */
  stream(name: string, options?: CallOptions & { offset?: number }): AsyncIterable<Buffer>;

  /** Whole objects whose name begins with `prefix`, in the order of names. */
  list(prefix: string, options?: CallOptions): AsyncIterable<StoredObject>;

  /** Deletes the object; false where there was none. */
  delete(name: string, options?: CallOptions): Promise<boolean>;

  /**
   * Gives a whole object another name in one durable step, in the place of the one that has it: at every moment one of
   * the two is there under `to`. Only where the storage can do that.
   */
  replace?(from: string, to: string, options?: CallOptions): Promise<void>;

  leftovers(options?: CallOptions): AsyncIterable<Leftover>;
  /** What there is of an unfinished object, from its first byte. Only where the storage can read such a thing. */
  unfinished?(leftover: Leftover, options?: CallOptions): AsyncIterable<Buffer>;
  discard(leftover: Leftover, options?: CallOptions): Promise<void>;

  /**
   * Writes, reads, lists and deletes a probe object, whose name begins with `prefix` (default: nothing) where there is
   * such a folder. Never throws for a storage that fails.
   */
  probe(options?: CallOptions & { prefix?: string }): Promise<StorageHealth>;
}
