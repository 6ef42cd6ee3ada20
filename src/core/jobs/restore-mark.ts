import { asBifractError } from '../errors.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { JobContext } from './context.ts';
import type { Patience } from './patience.ts';
import type { RestoreJournal } from './restore-journal.ts';

const NOTE_INTERVAL_MS = 2000;

/**
 * Which archive's record says that it is being restored: one at a time, for of each fractal only one may be active. It
 * keeps everybody else from that fractal's archives meanwhile.
 */
export class RestoreMarkHolder {
  readonly #catalog: Catalog;
  readonly #journal: RestoreJournal;
  readonly #patience: Patience;
  readonly #context: JobContext;
  #held: string | null = null;
  #lines = 0;
  #noted = Number.NEGATIVE_INFINITY;

  constructor(catalog: Catalog, journal: RestoreJournal, patience: Patience, context: JobContext) {
    this.#catalog = catalog;
    this.#journal = journal;
    this.#patience = patience;
    this.#context = context;
  }

  /** Goes over to a record; a file that has none leaves it where it is. `BUSY` where somebody else is active. */
  async hold(archive_id: string | null): Promise<void> {
    if (archive_id === null || archive_id === this.#held) return;
    const { signal } = this.#context;
    const before =
      this.#held === null ? undefined : { archive_id: this.#held, lines: this.#lines, error: null };
    // The note first: a mark that nobody knows of would stay for ever.
    await this.#journal.save({
      archive_ids: this.#held === null ? [archive_id] : [this.#held, archive_id],
    });
    await this.#patience.through(() => this.#catalog.beginRestore(archive_id, before, { signal }), signal);
    this.#held = archive_id;
    this.#lines = 0;
  }

  /** Rows sent of the file at hand. Told to the catalog now and then; one that fails is no harm. */
  tell(lines: number): void {
    this.#lines = lines;
    const now = performance.now();
    if (this.#held === null || now - this.#noted < NOTE_INTERVAL_MS) return;
    this.#noted = now;
    this.#catalog.noteRestore(this.#held, lines).catch(() => undefined);
  }

  /** Gives the mark back, however the restore ended. False where the catalog does not answer. */
  async release(error: unknown): Promise<boolean> {
    if (this.#held === null) return true;
    const message = error === undefined ? null : asBifractError(error).message;
    const mark = { archive_id: this.#held, lines: this.#lines, error: message };
    const { signal } = this.#context;
    const end = () => this.#catalog.endRestore(mark);
    try {
      // What was cancelled is still put right, but nobody waits for it.
      await (signal.aborted ? end() : this.#patience.through(end, signal));
      this.#held = null;
      return true;
    } catch (thrown) {
      const { message: reason } = asBifractError(thrown);
      this.#context.emit('job:warning', {
        message: `The record of archive ${this.#held} still says that it is being restored: ${reason}`,
      });
      return false;
    }
  }
}
