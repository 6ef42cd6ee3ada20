import { setTimeout as wait } from 'node:timers/promises';

/** The limit for waits without a reason for another one, milliseconds. */
export const LIMIT_MS = 15_000;

const PAUSE_MS = 20;

/**
 * Waits until a condition is met and returns its first truthy value. Fails with `what` once `limit_ms` have passed.
 *
 * Every wait of a test goes through this function, so that no test can hang without naming what it waits for.
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
