import { setTimeout as wait } from 'node:timers/promises';

/** Default limit of waits, milliseconds. */
export const LIMIT_MS = 15_000;

const PAUSE_MS = 20;

/**
 * Waits until a condition is truthy and returns its value. Throws an error with `what` after `limit_ms`.
 *
 * All waits in tests use this function, so that a hanging test names what it waits for.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  limit_ms: number,
  what: string,
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const deadline = performance.now() + limit_ms;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | 0 | '' | null | undefined>;
    if (performance.now() > deadline) throw new Error(`Timed out after ${limit_ms} ms: ${what}`);
    await wait(PAUSE_MS);
  }
}
