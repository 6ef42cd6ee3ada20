import { asBifractError, type BifractError } from '../../contract/errors.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { unreadable } from './unreadable.ts';

/** Options of a query that lists stored objects for display. */
export interface ListingOptions extends CallOptions {
  /**
   * Gets the error of a listing that breaks off; the query then returns what came. Without it the query throws. Nothing
   * may be concluded from what an incomplete list does not have.
   */
  onIncomplete?(error: BifractError): void;
}

/** The entries of a listing up to where it breaks off because the storage fails or denies it. */
export async function* untilIncomplete<Entry>(
  entries: AsyncIterable<Entry>,
  { onIncomplete, signal }: ListingOptions,
): AsyncGenerator<Entry> {
  try {
    yield* entries;
  } catch (thrown) {
    signal?.throwIfAborted();
    const error = asBifractError(thrown);
    if (!onIncomplete || !['STORAGE_FAILED', 'STORAGE_DENIED'].includes(error.code)) throw thrown;
    onIncomplete(error);
  }
}

/** A listing may have the wrong size, or a file that no longer exists. A file that cannot be looked up is kept as listed. */
export async function confirmed(
  storage: Storage,
  object: StoredObject,
  options: CallOptions,
): Promise<StoredObject | undefined> {
  try {
    return await storage.stat(object.name, options);
  } catch (thrown) {
    unreadable(thrown, options.signal);
    return object;
  }
}
