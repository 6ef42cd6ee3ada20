import { BifractError } from '../contract/errors.ts';
import type { CallOptions } from '../ports/types.ts';

/** How long a cleanup may show no sign of life, and how long failed ones may take together, milliseconds. */
export interface Limits {
  quiet_ms: number;
  total_ms: number;
}

/** What work gets: a signal to stop it, and a way to show that it is not stuck. */
export interface Watched extends CallOptions {
  alive(): void;
}

/** How much time a hanging server may cost. Only failed work is counted. */
export class TimeBudget {
  readonly #quiet_ms: number;
  #left_ms: number;

  constructor({ quiet_ms, total_ms }: Limits) {
    this.#quiet_ms = quiet_ms;
    this.#left_ms = total_ms;
  }

  /**
   * Aborts work that shows no sign of life and does not wait for its end: `TIMED_OUT`. After an abort by the caller it
   * ends with the signal's reason.
   */
  async run<T>(work: (watched: Watched) => Promise<T>, { signal }: CallOptions): Promise<T> {
    if (this.#left_ms <= 0) throw timedOut();
    const started = performance.now();
    const controller = new AbortController();
    const { promise: gaveUp, reject } = Promise.withResolvers<never>();
    let over = false;
    const timer = setTimeout(
      () => {
        const error = timedOut();
        controller.abort(error);
        reject(error);
      },
      Math.min(this.#quiet_ms, this.#left_ms),
    );
    const alive = () => void (over || timer.refresh());
    const working = work({
      signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
      alive,
    });
    try {
      return await Promise.race([working, gaveUp]);
    } catch (error) {
      this.#left_ms -= performance.now() - started;
      throw error;
    } finally {
      over = true;
      clearTimeout(timer);
    }
  }
}

function timedOut(): BifractError {
  return new BifractError('TIMED_OUT', 'The cleanup took too long', {
    hint: 'Check that the database and storage servers respond, then run `bifract clean`.',
  });
}
