import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError, BifractError } from '../errors.ts';
import type { JobContext } from './context.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Before anything has been answered, a wrong address is likelier than a restart: it should be told soon. */
const FIRST_TRIES = 4;

export interface PatienceOptions {
  /** How long may be spent on waiting in all, milliseconds. */
  max_ms: number;
  /** How that limit is set, for people. */
  variable: string;
  /** The first wait, milliseconds; each further one is twice as long. */
  first_ms?: number;
}

/** How long a job puts up with what fails and may succeed again. Waits are told as `job:retry`. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #context: Pick<JobContext, 'emit'>;
  #attempt = 0;
  /** Time lost so far, and since when more is being lost, milliseconds. */
  #lost = 0;
  #since: number | undefined;
  #answered = false;
  /** All of it was spent. */
  exhausted = false;

  constructor(options: PatienceOptions, context: Pick<JobContext, 'emit'>) {
    this.#options = options;
    this.#context = context;
  }

  /** Tries in a row that brought nothing. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Something came: the next failure is a first one. */
  progressed(): void {
    this.#answered = true;
    if (this.#since === undefined) return;
    this.#lost += performance.now() - this.#since;
    this.#since = undefined;
    this.#attempt = 0;
  }

  /** Waits before another try; throws `thrown` where that would not help, or says that it took too long. */
  async wait(thrown: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const error = asBifractError(thrown);
    if (!isTransient(error)) throw thrown;
    this.#since ??= performance.now();
    this.#attempt++;
    const left = this.#options.max_ms - this.#lost - (performance.now() - this.#since);
    if (left <= 0) throw this.#spent(error);
    if (!this.#answered && this.#attempt >= FIRST_TRIES) throw thrown;
    const wait_ms = Math.ceil(Math.min(left, this.#backOff()));
    this.#context.emit('job:retry', { attempt: this.#attempt, wait_ms, reason: error.message });
    await wait(wait_ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  /** What `ask` brings, tried again as long as that makes sense. */
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

  #spent(error: BifractError): BifractError {
    this.exhausted = true;
    const { max_ms, variable } = this.#options;
    return new BifractError(
      error.code,
      `${error.message} (waited ${Math.round(max_ms / 1000)} seconds in all, no longer)`,
      {
        hint: `Find out why, then try again: what is done already is not done again. ${variable} says how long is waited.`,
        cause: error,
      },
    );
  }
}

function isTransient({ transient, code }: BifractError): boolean {
  return transient || code === 'POSTGRES_UNREACHABLE';
}
