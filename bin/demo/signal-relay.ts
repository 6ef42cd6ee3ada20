import { BifractError } from '../../src/core/contract/errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type StopSignal = (typeof SIGNALS)[number];

/** Handles stop signals at every moment, so that none is lost between two phases. */
export class SignalRelay {
  #pending: StopSignal | undefined;
  #handler = (name: StopSignal): void => {
    this.#pending = name;
  };
  readonly #listener = (name: StopSignal): void => this.#handler(name);

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#listener);
  }

  /** Passes on signals from now on, and one that is still pending. */
  forward(handler: (name: StopSignal) => void): void {
    this.#handler = handler;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) handler(pending);
  }

  /** Aborts with `CANCELLED` or `TERMINATED`. */
  abortSignal(): AbortSignal {
    const controller = new AbortController();
    this.forward((name) => {
      this.#pending = name;
      const code = name === 'SIGINT' ? 'CANCELLED' : 'TERMINATED';
      controller.abort(new BifractError(code, `Stopped by ${name} while the demo was starting`));
    });
    return controller.signal;
  }

  /** Restores the default handling of signals. */
  dispose(): void {
    for (const name of SIGNALS) process.off(name, this.#listener);
  }
}
