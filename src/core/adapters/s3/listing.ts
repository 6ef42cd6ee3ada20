import { BifractError } from '../../contract/errors.ts';
import type { StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { compareNames, isObjectName } from '../storage/object-name.ts';
import { type S3Connection, truncateToSeconds } from './connection.ts';

/** Pages without an entry that may follow each other: services send some while they pass over deleted objects. */
const MAX_EMPTY_PAGES = 100;

/** What every page of a listing tells: its entries, and how to get the next page. */
export interface Page<Entry, Next> {
  entries: readonly Entry[];
  truncated: boolean;
  /** Undefined if the service did not tell how to continue. */
  next: Next | undefined;
}

/**
 * All entries of a listing, page by page. Throws `STORAGE_FAILED` if the pages cannot be all of it: a truncated one does
 * not tell how to continue, or the service goes round in circles.
 */
export async function* readPages<Entry, Next>(
  connection: S3Connection,
  fetchPage: (next: Next | undefined) => Promise<Page<Entry, Next>>,
): AsyncGenerator<Entry> {
  let empty = 0;
  for (let at: Next | undefined; ; ) {
    const { entries, truncated, next } = await fetchPage(at);
    yield* entries;
    if (!truncated) return;
    if (next === undefined) throw incomplete(connection, 'more follows, but not where');
    if (JSON.stringify(next) === JSON.stringify(at)) throw incomplete(connection, 'a page is repeated');
    empty = entries.length === 0 ? empty + 1 : 0;
    if (empty > MAX_EMPTY_PAGES) throw incomplete(connection, 'it consists of empty pages');
    at = next;
  }
}

/** The objects whose key begins with `prefix`, sorted; see `Storage.list`. */
export async function* listObjects(
  connection: S3Connection,
  prefix: string,
  options: CallOptions,
): AsyncGenerator<StoredObject> {
  const Bucket = connection.settings.bucket;
  const order = new ListingOrder(connection);
  const pages = readPages(connection, async (token: string | undefined) => {
    const page = await connection.call(
      'Cannot list the bucket',
      (s3, http) => s3.listObjectsV2({ Bucket, Prefix: prefix, ContinuationToken: token }, http),
      options,
    );
    if (page.Name === undefined && page.KeyCount === undefined) throw connection.notAnS3Service();
    const entries = page.Contents ?? [];
    if ((page.KeyCount ?? 0) > entries.length) throw incomplete(connection, 'a page lacks entries');
    return {
      entries,
      truncated: page.IsTruncated === true,
      next: page.NextContinuationToken || undefined,
    };
  });
  for await (const { Key, Size, LastModified } of pages) {
    if (!Key?.startsWith(prefix)) throw incomplete(connection, 'it has keys that were not asked for');
    order.check(Key);
    if (!isObjectName(Key)) continue;
    if (Size === undefined || !(Size >= 0)) throw incomplete(connection, 'an entry has no size');
    yield { name: Key, size_bytes: Size, modified_at: truncateToSeconds(LastModified) };
  }
}

/**
 * Detects lost, repeated and exchanged pages by the order of the keys. S3 sorts them by their bytes; services on a file
 * system may sort folder by folder.
 */
class ListingOrder {
  readonly #connection: S3Connection;
  #last: string | undefined;
  #byBytes = true;
  #byFolder = true;

  constructor(connection: S3Connection) {
    this.#connection = connection;
  }

  check(key: string): void {
    const last = this.#last;
    this.#last = key;
    if (last === undefined) return;
    this.#byBytes &&= isBefore(last, key);
    this.#byFolder &&= isBefore(folderKey(last), folderKey(key));
    if (!this.#byBytes && !this.#byFolder) throw incomplete(this.#connection, 'its keys are not in order');
  }
}

const ASCII = /^[\x00-\x7f]*$/;

/** By bytes. Buffers for every key of a long listing would take much memory. */
function isBefore(a: string, b: string): boolean {
  return ASCII.test(a) && ASCII.test(b) ? a < b : compareNames(a, b) < 0;
}

/** Sorts a folder's content directly after the folder. */
function folderKey(key: string): string {
  return key.replaceAll('/', '\u0000');
}

/** The error for a listing that cannot be all of what there is. */
export function incomplete({ location }: S3Connection, why: string): BifractError {
  return new BifractError(
    'STORAGE_FAILED',
    `The listing of the bucket ${location.bucket} is incomplete: ${why}`,
    {
      hint: 'The S3 service, or a proxy in front of it, does not list objects as S3 does. Nothing was concluded from what it left out. See docs/guide/storage.md.',
    },
  );
}
