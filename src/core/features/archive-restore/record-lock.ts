import { asBifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { Retrier } from '../../job/retry.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { RestoreCheckpoint } from './checkpoint.ts';

const REPORT_INTERVAL_MS = 2000;

/**
 * Marks the record of one archive as being restored, which locks the other archives of its fractal: only one may be
 * active.
 */
export class RestoreRecordLock {
  readonly #catalog: Catalog;
  readonly #checkpoint: RestoreCheckpoint;
  readonly #retrier: Retrier;
  readonly #context: JobContext;
  #held: string | null = null;
  #lines = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(catalog: Catalog, checkpoint: RestoreCheckpoint, retrier: Retrier, context: JobContext) {
    this.#catalog = catalog;
    this.#checkpoint = checkpoint;
    this.#retrier = retrier;
    this.#context = context;
  }

  /**
   * Moves the lock to another record; a file without a record leaves it unchanged. `BUSY` if another archive of the
   * fractal is active.
   */
  async acquire(archive_id: string | null): Promise<void> {
    if (archive_id === null || archive_id === this.#held) return;
    const { signal } = this.#context;
    const previous =
      this.#held === null ? undefined : { archive_id: this.#held, lines: this.#lines, error: null };
    // Saved first: a lock that no job knows of would never be released.
    await this.#checkpoint.save({
      archive_ids: this.#held === null ? [archive_id] : [this.#held, archive_id],
    });
    await this.#retrier.through(() => this.#catalog.beginRestore(archive_id, previous, { signal }), signal);
    this.#held = archive_id;
    this.#lines = 0;
  }

  /** Rows sent of the current file. Reported to the catalog from time to time; errors are ignored. */
  report(lines: number): void {
    this.#lines = lines;
    const now = performance.now();
    if (this.#held === null || now - this.#reportedAt < REPORT_INTERVAL_MS) return;
    this.#reportedAt = now;
    this.#catalog.updateRestore(this.#held, lines).catch(() => undefined);
  }

  /** Releases the lock, whatever the outcome. False if the catalog does not answer. */
  async release(error: unknown): Promise<boolean> {
    if (this.#held === null) return true;
    const message = error === undefined ? null : asBifractError(error).message;
    const result = { archive_id: this.#held, lines: this.#lines, error: message };
    const { signal } = this.#context;
    const unlock = () => this.#catalog.endRestore(result);
    try {
      // After a cancellation there is only one attempt.
      await (signal.aborted ? unlock() : this.#retrier.through(unlock, signal));
      this.#held = null;
      return true;
    } catch (thrown) {
      const { message: reason } = asBifractError(thrown);
      this.#context.emit('job:warning', {
        message: `Cannot release the lock on archive ${this.#held}, its status stays "restoring": ${reason}`,
      });
      return false;
    }
  }
}
