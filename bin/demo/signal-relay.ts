import { BifractError } from '../../src/core/errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type EndSignal = (typeof SIGNALS)[number];

/** Takes the signals that would end us, at every moment, so that none of them falls between two phases. */
export class SignalRelay {
  #pending: EndSignal | undefined;
  #take = (name: EndSignal): void => {
    this.#pending = name;
  };
  readonly #listener = (name: EndSignal): void => this.#take(name);

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#listener);
  }

  /** Hands on what comes from now on, and what has come but ended nothing yet. */
  forward(take: (name: EndSignal) => void): void {
    this.#take = take;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) take(pending);
  }

  /** Aborts with `CANCELLED` or `TERMINATED`. */
  abortSignal(): AbortSignal {
    const ending = new AbortController();
    this.forward((name) => {
      this.#pending = name;
      const code = name === 'SIGINT' ? 'CANCELLED' : 'TERMINATED';
      ending.abort(new BifractError(code, `Ended by ${name} while the demo was starting`));
    });
    return ending.signal;
  }

  /** From now on, signals end us as they end any process. */
  release(): void {
    for (const name of SIGNALS) process.off(name, this.#listener);
  }
}
