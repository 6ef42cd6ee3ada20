import { BifractError } from '../contract/errors.ts';

/** Maximum of a Node timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** A signal that follows `signal` and aborts with `TIMED_OUT` after `max_ms`. Must be released. */
export function timeLimit(
  signal: AbortSignal,
  { max_ms, variable, what }: { max_ms: number; variable: string; what: string },
): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const timer = setTimeout(
    () => {
      const message = `${what} took longer than ${Math.round(max_ms / 1000)} seconds`;
      controller.abort(new BifractError('TIMED_OUT', message, { hint: `${variable} sets the limit.` }));
    },
    Math.min(max_ms, LONGEST_MS),
  );
  timer.unref();
  return { signal: AbortSignal.any([signal, controller.signal]), release: () => clearTimeout(timer) };
}
