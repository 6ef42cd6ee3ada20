import { asBifractError, type ErrorReport } from '../contract/errors.ts';
import type { JobContext } from './context.ts';
import { combine, type Failure } from './failures.ts';

/** Outcome of one item of a job. With an error it failed, and the others are still worked on. */
export interface ItemOutcome {
  message: string;
  error?: ErrorReport;
  /** There was nothing to do: it does not count when failures are compared with the number of items. */
  skipped?: boolean;
  /** What the job found out about it, for `job:item`. */
  details?: Record<string, unknown>;
}

/**
 * Works on items one after the other, with a `job:item` for each. A failed item does not stop the next one; an
 * abort does.
 *
 * Throws what the failures amount to: the only item's error, the first one's if all failed, else `PARTLY_DONE`;
 * `failed` completes that sentence ("could not be deleted").
 */
export async function forEachItem<Item>(
  items: readonly Item[],
  { name, failed }: { name(item: Item): string; failed: string },
  work: (item: Item) => Promise<ItemOutcome>,
  { signal, emit }: Pick<JobContext, 'signal' | 'emit'>,
): Promise<void> {
  const failures: Failure[] = [];
  let skipped = 0;
  for (const one of items) {
    signal.throwIfAborted();
    const item = name(one);
    const { message, error, details, ...outcome } = await work(one).catch((thrown: unknown): ItemOutcome => {
      signal.throwIfAborted();
      const report = asBifractError(thrown).report();
      return { message: report.message, error: report };
    });
    signal.throwIfAborted();
    if (error) failures.push({ item, error });
    else if (outcome.skipped) skipped++;
    emit('job:item', {
      item,
      ok: !error,
      message,
      ...(error ? { error } : {}),
      ...(details ? { details } : {}),
    });
  }
  const error = combine(failures, items.length - skipped, failed);
  if (error) throw error;
}
