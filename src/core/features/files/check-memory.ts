import { asBifractError, ERROR_EXITS, type ErrorReport, EXIT } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { Services } from '../../ports/services.ts';
import type { FileCheck } from '../../ports/state.ts';

/** Results are saved this often: a list of thousands is written as a whole. */
const SAVE_MS = 5_000;

/** Saves what a job finds out about files, so that consoles and `status` know it later. A failure is only a warning. */
export class CheckMemory {
  readonly #state: Services['state'];
  readonly #context: Pick<JobContext, 'emit' | 'now'>;
  #unsaved: FileCheck[] = [];
  #saved_at = Number.NEGATIVE_INFINITY;
  #failed = false;

  constructor({ state }: Pick<Services, 'state'>, context: Pick<JobContext, 'emit' | 'now'>) {
    this.#state = state;
    this.#context = context;
  }

  /** Adds the result of a check that has just ended. An error that says nothing about the file is not kept. */
  async add({ error, ...check }: Omit<FileCheck, 'at' | 'error'> & { error?: ErrorReport }): Promise<void> {
    if (error && !concernsFile(error)) return;
    this.#unsaved.push({ ...check, at: this.#context.now().toISOString(), error: error ?? null });
    if (performance.now() - this.#saved_at > SAVE_MS) await this.save();
  }

  /** Saves what is not saved yet. Call it at the end, whatever the outcome. */
  async save(): Promise<void> {
    if (this.#unsaved.length === 0) return;
    this.#saved_at = performance.now();
    try {
      await this.#state.addChecks(this.#unsaved);
      this.#unsaved = [];
    } catch (thrown) {
      if (!this.#failed) {
        const { message } = asBifractError(thrown);
        this.#context.emit('job:warning', { message: `The results will not be remembered: ${message}` });
      }
      this.#failed = true;
    }
  }
}

/** Whether an error shows that a file is bad or missing, unlike a server that does not answer. */
function concernsFile({ code }: ErrorReport): boolean {
  return ERROR_EXITS[code] === EXIT.integrity || code === 'NOT_FOUND' || code === 'RESTORE_FAILED';
}
