import type { Emit, Progress } from '../events.ts';

const INTERVAL_MS = 100;

/**
 * Passes `bytes` on and reports progress while they flow, at most ten times a second, and once at the end.
 * The events carry what `read` returns at that moment.
 */
export async function* metered<T>(
  bytes: AsyncIterable<T>,
  emit: Emit,
  read: () => Progress,
): AsyncIterable<T> {
  let last = Number.NEGATIVE_INFINITY;
  for await (const block of bytes) {
    yield block;
    const now = performance.now();
    if (now - last < INTERVAL_MS) continue;
    last = now;
    emit('job:progress', read());
  }
  emit('job:progress', read());
}
