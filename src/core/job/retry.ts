import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError, BifractError } from '../contract/errors.ts';
import type { JobContext } from './context.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Before the first success a wrong address is more likely than a restart: fail early. */
const FIRST_TRIES = 4;

export interface RetryOptions {
  /** Limit of the total retry time, milliseconds. */
  max_ms: number;
  /** Name of the setting for that limit, if there is one. */
  variable?: string;
  /** The first wait, milliseconds; doubled for each further one. */
  first_ms?: number;
}

/**
 * Retries transient errors with exponential backoff and a limit on the total retry time. Waits are reported
 * as `job:retry`.
 */
export class Retrier {
  readonly #options: RetryOptions;
  readonly #context: Pick<JobContext, 'emit'>;
  #attempt = 0;
  /** Time lost so far, and start of the current outage, milliseconds. */
  #lost_ms = 0;
  #since: number | undefined;
  #succeeded = false;
  /** Whether the limit was reached. */
  exhausted = false;

  constructor(options: RetryOptions, context: Pick<JobContext, 'emit'>) {
    this.#options = options;
    this.#context = context;
  }

  /** Failed attempts in a row. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Resets the attempts after progress. */
  progressed(): void {
    this.#succeeded = true;
    if (this.#since === undefined) return;
    this.#lost_ms += performance.now() - this.#since;
    this.#since = undefined;
    this.#attempt = 0;
  }

  /**
   * Waits before a retry. Throws `thrown` if it is not transient, or a timeout error once the limit is
   * reached.
   */
  async wait(thrown: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const error = asBifractError(thrown);
    if (!isTransient(error)) throw thrown;
    this.#since ??= performance.now();
    this.#attempt++;
    const left = this.#options.max_ms - this.#lost_ms - (performance.now() - this.#since);
    if (left <= 0) throw this.#timeout(error);
    if (!this.#succeeded && this.#attempt >= FIRST_TRIES) throw thrown;
    const wait_ms = Math.ceil(Math.min(left, this.#backOff()));
    this.#context.emit('job:retry', { attempt: this.#attempt, wait_ms, reason: error.message });
    await wait(wait_ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  /** Runs `ask`, with retries. */
  async through<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        const answer = await ask();
        this.progressed();
        return answer;
      } catch (error) {
        await this.wait(error, signal);
      }
    }
  }

  #backOff(): number {
    const first = this.#options.first_ms ?? FIRST_WAIT_MS;
    return Math.min(first * 2 ** (this.#attempt - 1), LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
  }

  #timeout(error: BifractError): BifractError {
    this.exhausted = true;
    const { max_ms, variable } = this.#options;
    return new BifractError(
      error.code,
      `${error.message} (gave up after ${Math.round(max_ms / 1000)} seconds of retries)`,
      {
        hint: variable
          ? `Fix the cause, then run it again: completed work is not repeated. ${variable} sets the limit.`
          : 'Fix the cause, then run it again.',
        cause: error,
      },
    );
  }
}

function isTransient({ transient, code }: BifractError): boolean {
  return transient || code === 'POSTGRES_UNREACHABLE';
}
